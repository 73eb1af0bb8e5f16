package dev.aquifer.replica;

import java.io.InputStream;
import java.io.Reader;
import java.math.BigDecimal;
import java.net.URL;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Date;
import java.sql.NClob;
import java.sql.Ref;
import java.sql.ResultSet;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.Calendar;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The part of a result that reads columns by name. */
abstract class ResultColumnsByName extends ResultColumns {
  ResultColumnsByName(ResultSet result) {
    super(result);
  }

  @Override
  public @Nullable Array getArray(String name) throws SQLException {
    return result.getArray(name);
  }

  @Override
  public @Nullable InputStream getAsciiStream(String name) throws SQLException {
    return result.getAsciiStream(name);
  }

  @Deprecated
  @Override
  @SuppressWarnings("deprecation")
  public @Nullable BigDecimal getBigDecimal(String name, int scale) throws SQLException {
    return result.getBigDecimal(name, scale);
  }

  @Override
  public @Nullable BigDecimal getBigDecimal(String name) throws SQLException {
    return result.getBigDecimal(name);
  }

  @Override
  public @Nullable InputStream getBinaryStream(String name) throws SQLException {
    return result.getBinaryStream(name);
  }

  @Override
  public @Nullable Blob getBlob(String name) throws SQLException {
    return result.getBlob(name);
  }

  @Override
  public boolean getBoolean(String name) throws SQLException {
    return result.getBoolean(name);
  }

  @Override
  public byte getByte(String name) throws SQLException {
    return result.getByte(name);
  }

  @Override
  public byte @Nullable [] getBytes(String name) throws SQLException {
    return result.getBytes(name);
  }

  @Override
  public @Nullable Reader getCharacterStream(String name) throws SQLException {
    return result.getCharacterStream(name);
  }

  @Override
  public @Nullable Clob getClob(String name) throws SQLException {
    return result.getClob(name);
  }

  @Override
  public @Nullable Date getDate(String name, Calendar calendar) throws SQLException {
    return result.getDate(name, calendar);
  }

  @Override
  public @Nullable Date getDate(String name) throws SQLException {
    return result.getDate(name);
  }

  @Override
  public double getDouble(String name) throws SQLException {
    return result.getDouble(name);
  }

  @Override
  public float getFloat(String name) throws SQLException {
    return result.getFloat(name);
  }

  @Override
  public int getInt(String name) throws SQLException {
    return result.getInt(name);
  }

  @Override
  public long getLong(String name) throws SQLException {
    return result.getLong(name);
  }

  @Override
  public @Nullable Reader getNCharacterStream(String name) throws SQLException {
    return result.getNCharacterStream(name);
  }

  @Override
  public @Nullable NClob getNClob(String name) throws SQLException {
    return result.getNClob(name);
  }

  @Override
  public @Nullable String getNString(String name) throws SQLException {
    return result.getNString(name);
  }

  @Override
  public <T> @Nullable T getObject(String name, Class<T> type) throws SQLException {
    return result.getObject(name, type);
  }

  @Override
  public @Nullable Object getObject(String name, Map<String, Class<?>> types) throws SQLException {
    return result.getObject(name, types);
  }

  @Override
  public @Nullable Object getObject(String name) throws SQLException {
    return routed(result.getObject(name));
  }

  @Override
  public @Nullable Ref getRef(String name) throws SQLException {
    return result.getRef(name);
  }

  @Override
  public @Nullable RowId getRowId(String name) throws SQLException {
    return result.getRowId(name);
  }

  @Override
  public @Nullable SQLXML getSQLXML(String name) throws SQLException {
    return result.getSQLXML(name);
  }

  @Override
  public short getShort(String name) throws SQLException {
    return result.getShort(name);
  }

  @Override
  public @Nullable String getString(String name) throws SQLException {
    return result.getString(name);
  }

  @Override
  public @Nullable Time getTime(String name, Calendar calendar) throws SQLException {
    return result.getTime(name, calendar);
  }

  @Override
  public @Nullable Time getTime(String name) throws SQLException {
    return result.getTime(name);
  }

  @Override
  public @Nullable Timestamp getTimestamp(String name, Calendar calendar) throws SQLException {
    return result.getTimestamp(name, calendar);
  }

  @Override
  public @Nullable Timestamp getTimestamp(String name) throws SQLException {
    return result.getTimestamp(name);
  }

  @Override
  public @Nullable URL getURL(String name) throws SQLException {
    return result.getURL(name);
  }

  @Deprecated
  @Override
  @SuppressWarnings("deprecation")
  public @Nullable InputStream getUnicodeStream(String name) throws SQLException {
    return result.getUnicodeStream(name);
  }
}
