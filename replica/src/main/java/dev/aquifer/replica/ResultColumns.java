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

/**
 * A result that hands every call on. It is written out, and no {@code java.lang.reflect.Proxy}:
 * every value that the application reads passes here. This is the part that reads columns by index.
 */
abstract class ResultColumns implements ResultSet {
  final ResultSet result;

  ResultColumns(ResultSet result) {
    this.result = result;
  }

  /** A result inside the result leads back to the same statement. */
  abstract @Nullable Object routed(@Nullable Object value);

  @Override
  public @Nullable Array getArray(int index) throws SQLException {
    return result.getArray(index);
  }

  @Override
  public @Nullable InputStream getAsciiStream(int index) throws SQLException {
    return result.getAsciiStream(index);
  }

  @Deprecated
  @Override
  @SuppressWarnings("deprecation")
  public @Nullable BigDecimal getBigDecimal(int index, int scale) throws SQLException {
    return result.getBigDecimal(index, scale);
  }

  @Override
  public @Nullable BigDecimal getBigDecimal(int index) throws SQLException {
    return result.getBigDecimal(index);
  }

  @Override
  public @Nullable InputStream getBinaryStream(int index) throws SQLException {
    return result.getBinaryStream(index);
  }

  @Override
  public @Nullable Blob getBlob(int index) throws SQLException {
    return result.getBlob(index);
  }

  @Override
  public boolean getBoolean(int index) throws SQLException {
    return result.getBoolean(index);
  }

  @Override
  public byte getByte(int index) throws SQLException {
    return result.getByte(index);
  }

  @Override
  public byte @Nullable [] getBytes(int index) throws SQLException {
    return result.getBytes(index);
  }

  @Override
  public @Nullable Reader getCharacterStream(int index) throws SQLException {
    return result.getCharacterStream(index);
  }

  @Override
  public @Nullable Clob getClob(int index) throws SQLException {
    return result.getClob(index);
  }

  @Override
  public @Nullable Date getDate(int index, Calendar calendar) throws SQLException {
    return result.getDate(index, calendar);
  }

  @Override
  public @Nullable Date getDate(int index) throws SQLException {
    return result.getDate(index);
  }

  @Override
  public double getDouble(int index) throws SQLException {
    return result.getDouble(index);
  }

  @Override
  public float getFloat(int index) throws SQLException {
    return result.getFloat(index);
  }

  @Override
  public int getInt(int index) throws SQLException {
    return result.getInt(index);
  }

  @Override
  public long getLong(int index) throws SQLException {
    return result.getLong(index);
  }

  @Override
  public @Nullable Reader getNCharacterStream(int index) throws SQLException {
    return result.getNCharacterStream(index);
  }

  @Override
  public @Nullable NClob getNClob(int index) throws SQLException {
    return result.getNClob(index);
  }

  @Override
  public @Nullable String getNString(int index) throws SQLException {
    return result.getNString(index);
  }

  @Override
  public <T> @Nullable T getObject(int index, Class<T> type) throws SQLException {
    return result.getObject(index, type);
  }

  @Override
  public @Nullable Object getObject(int index, Map<String, Class<?>> types) throws SQLException {
    return result.getObject(index, types);
  }

  @Override
  public @Nullable Object getObject(int index) throws SQLException {
    return routed(result.getObject(index));
  }

  @Override
  public @Nullable Ref getRef(int index) throws SQLException {
    return result.getRef(index);
  }

  @Override
  public @Nullable RowId getRowId(int index) throws SQLException {
    return result.getRowId(index);
  }

  @Override
  public @Nullable SQLXML getSQLXML(int index) throws SQLException {
    return result.getSQLXML(index);
  }

  @Override
  public short getShort(int index) throws SQLException {
    return result.getShort(index);
  }

  @Override
  public @Nullable String getString(int index) throws SQLException {
    return result.getString(index);
  }

  @Override
  public @Nullable Time getTime(int index, Calendar calendar) throws SQLException {
    return result.getTime(index, calendar);
  }

  @Override
  public @Nullable Time getTime(int index) throws SQLException {
    return result.getTime(index);
  }

  @Override
  public @Nullable Timestamp getTimestamp(int index, Calendar calendar) throws SQLException {
    return result.getTimestamp(index, calendar);
  }

  @Override
  public @Nullable Timestamp getTimestamp(int index) throws SQLException {
    return result.getTimestamp(index);
  }

  @Override
  public @Nullable URL getURL(int index) throws SQLException {
    return result.getURL(index);
  }

  @Deprecated
  @Override
  @SuppressWarnings("deprecation")
  public @Nullable InputStream getUnicodeStream(int index) throws SQLException {
    return result.getUnicodeStream(index);
  }
}
