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
import java.sql.PreparedStatement;
import java.sql.Ref;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLType;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.Calendar;
import org.jspecify.annotations.Nullable;

/**
 * The setters of {@link PreparedStatement}: each becomes a {@link Binding} that is replayed on the
 * statement of the node that is chosen. A stream can be read once only.
 */
abstract class ParameterSetters extends RoutedStatement<PreparedStatement>
    implements PreparedStatement {
  /** One parameter, set on a server's statement. */
  @FunctionalInterface
  interface Binding {
    void on(PreparedStatement made) throws SQLException;
  }

  ParameterSetters(RoutedConnection connection, Cursor cursor) {
    super(connection, cursor);
  }

  abstract void bind(int index, Binding binding) throws SQLException;

  abstract void bindOnce(int index, Binding binding) throws SQLException;

  @Override
  public void setNull(int index, int type) throws SQLException {
    bind(index, made -> made.setNull(index, type));
  }

  @Override
  public void setBoolean(int index, boolean value) throws SQLException {
    bind(index, made -> made.setBoolean(index, value));
  }

  @Override
  public void setByte(int index, byte value) throws SQLException {
    bind(index, made -> made.setByte(index, value));
  }

  @Override
  public void setShort(int index, short value) throws SQLException {
    bind(index, made -> made.setShort(index, value));
  }

  @Override
  public void setInt(int index, int value) throws SQLException {
    bind(index, made -> made.setInt(index, value));
  }

  @Override
  public void setLong(int index, long value) throws SQLException {
    bind(index, made -> made.setLong(index, value));
  }

  @Override
  public void setFloat(int index, float value) throws SQLException {
    bind(index, made -> made.setFloat(index, value));
  }

  @Override
  public void setDouble(int index, double value) throws SQLException {
    bind(index, made -> made.setDouble(index, value));
  }

  @Override
  public void setBigDecimal(int index, @Nullable BigDecimal value) throws SQLException {
    bind(index, made -> made.setBigDecimal(index, value));
  }

  @Override
  public void setString(int index, @Nullable String value) throws SQLException {
    bind(index, made -> made.setString(index, value));
  }

  @Override
  public void setBytes(int index, byte @Nullable [] value) throws SQLException {
    bind(index, made -> made.setBytes(index, value));
  }

  @Override
  public void setDate(int index, @Nullable Date value) throws SQLException {
    bind(index, made -> made.setDate(index, value));
  }

  @Override
  public void setTime(int index, @Nullable Time value) throws SQLException {
    bind(index, made -> made.setTime(index, value));
  }

  @Override
  public void setTimestamp(int index, @Nullable Timestamp value) throws SQLException {
    bind(index, made -> made.setTimestamp(index, value));
  }

  @Override
  public void setObject(int index, @Nullable Object value, int type) throws SQLException {
    bind(index, made -> made.setObject(index, value, type));
  }

  @Override
  public void setObject(int index, @Nullable Object value) throws SQLException {
    bind(index, made -> made.setObject(index, value));
  }

  @Override
  public void setRef(int index, @Nullable Ref value) throws SQLException {
    bind(index, made -> made.setRef(index, value));
  }

  @Override
  public void setBlob(int index, @Nullable Blob value) throws SQLException {
    bind(index, made -> made.setBlob(index, value));
  }

  @Override
  public void setClob(int index, @Nullable Clob value) throws SQLException {
    bind(index, made -> made.setClob(index, value));
  }

  @Override
  public void setArray(int index, @Nullable Array value) throws SQLException {
    bind(index, made -> made.setArray(index, value));
  }

  @Override
  public void setDate(int index, @Nullable Date value, @Nullable Calendar zone)
      throws SQLException {
    bind(index, made -> made.setDate(index, value, zone));
  }

  @Override
  public void setTime(int index, @Nullable Time value, @Nullable Calendar zone)
      throws SQLException {
    bind(index, made -> made.setTime(index, value, zone));
  }

  @Override
  public void setTimestamp(int index, @Nullable Timestamp value, @Nullable Calendar zone)
      throws SQLException {
    bind(index, made -> made.setTimestamp(index, value, zone));
  }

  @Override
  public void setNull(int index, int type, String typeName) throws SQLException {
    bind(index, made -> made.setNull(index, type, typeName));
  }

  @Override
  public void setURL(int index, @Nullable URL value) throws SQLException {
    bind(index, made -> made.setURL(index, value));
  }

  @Override
  public void setRowId(int index, @Nullable RowId value) throws SQLException {
    bind(index, made -> made.setRowId(index, value));
  }

  @Override
  public void setNString(int index, @Nullable String value) throws SQLException {
    bind(index, made -> made.setNString(index, value));
  }

  @Override
  public void setNClob(int index, @Nullable NClob value) throws SQLException {
    bind(index, made -> made.setNClob(index, value));
  }

  @Override
  public void setSQLXML(int index, @Nullable SQLXML value) throws SQLException {
    bind(index, made -> made.setSQLXML(index, value));
  }

  @Override
  public void setObject(int index, @Nullable Object value, int type, int scale)
      throws SQLException {
    bind(index, made -> made.setObject(index, value, type, scale));
  }

  @Override
  public void setObject(int index, @Nullable Object value, @Nullable SQLType type)
      throws SQLException {
    bind(index, made -> made.setObject(index, value, type));
  }

  @Override
  public void setObject(int index, @Nullable Object value, @Nullable SQLType type, int scale)
      throws SQLException {
    bind(index, made -> made.setObject(index, value, type, scale));
  }

  @Deprecated
  @Override
  @SuppressWarnings("deprecation")
  public void setUnicodeStream(int index, InputStream value, int length) throws SQLException {
    bindOnce(index, made -> made.setUnicodeStream(index, value, length));
  }

  @Override
  public void setAsciiStream(int index, @Nullable InputStream value, int length)
      throws SQLException {
    bindOnce(index, made -> made.setAsciiStream(index, value, length));
  }

  @Override
  public void setBinaryStream(int index, @Nullable InputStream value, int length)
      throws SQLException {
    bindOnce(index, made -> made.setBinaryStream(index, value, length));
  }

  @Override
  public void setCharacterStream(int index, @Nullable Reader value, int length)
      throws SQLException {
    bindOnce(index, made -> made.setCharacterStream(index, value, length));
  }

  @Override
  public void setNCharacterStream(int index, @Nullable Reader value, long length)
      throws SQLException {
    bindOnce(index, made -> made.setNCharacterStream(index, value, length));
  }

  @Override
  public void setClob(int index, @Nullable Reader value, long length) throws SQLException {
    bindOnce(index, made -> made.setClob(index, value, length));
  }

  @Override
  public void setBlob(int index, @Nullable InputStream value, long length) throws SQLException {
    bindOnce(index, made -> made.setBlob(index, value, length));
  }

  @Override
  public void setNClob(int index, @Nullable Reader value, long length) throws SQLException {
    bindOnce(index, made -> made.setNClob(index, value, length));
  }

  @Override
  public void setAsciiStream(int index, @Nullable InputStream value, long length)
      throws SQLException {
    bindOnce(index, made -> made.setAsciiStream(index, value, length));
  }

  @Override
  public void setBinaryStream(int index, @Nullable InputStream value, long length)
      throws SQLException {
    bindOnce(index, made -> made.setBinaryStream(index, value, length));
  }

  @Override
  public void setCharacterStream(int index, @Nullable Reader value, long length)
      throws SQLException {
    bindOnce(index, made -> made.setCharacterStream(index, value, length));
  }

  @Override
  public void setAsciiStream(int index, @Nullable InputStream value) throws SQLException {
    bindOnce(index, made -> made.setAsciiStream(index, value));
  }

  @Override
  public void setBinaryStream(int index, @Nullable InputStream value) throws SQLException {
    bindOnce(index, made -> made.setBinaryStream(index, value));
  }

  @Override
  public void setCharacterStream(int index, @Nullable Reader value) throws SQLException {
    bindOnce(index, made -> made.setCharacterStream(index, value));
  }

  @Override
  public void setNCharacterStream(int index, @Nullable Reader value) throws SQLException {
    bindOnce(index, made -> made.setNCharacterStream(index, value));
  }

  @Override
  public void setClob(int index, @Nullable Reader value) throws SQLException {
    bindOnce(index, made -> made.setClob(index, value));
  }

  @Override
  public void setBlob(int index, @Nullable InputStream value) throws SQLException {
    bindOnce(index, made -> made.setBlob(index, value));
  }

  @Override
  public void setNClob(int index, @Nullable Reader value) throws SQLException {
    bindOnce(index, made -> made.setNClob(index, value));
  }
}
