package dev.aquifer.replica;

import java.io.InputStream;
import java.io.Reader;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Date;
import java.sql.NClob;
import java.sql.Ref;
import java.sql.ResultSet;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLType;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import org.jspecify.annotations.Nullable;

/** The part of a result that sets columns by name. */
abstract class ResultUpdatesByName extends ResultUpdates {
  ResultUpdatesByName(ResultSet result) {
    super(result);
  }

  @Override
  public void updateArray(String name, @Nullable Array value) throws SQLException {
    result.updateArray(name, value);
  }

  @Override
  public void updateAsciiStream(String name, @Nullable InputStream value, int length)
      throws SQLException {
    result.updateAsciiStream(name, value, length);
  }

  @Override
  public void updateAsciiStream(String name, @Nullable InputStream value, long length)
      throws SQLException {
    result.updateAsciiStream(name, value, length);
  }

  @Override
  public void updateAsciiStream(String name, @Nullable InputStream value) throws SQLException {
    result.updateAsciiStream(name, value);
  }

  @Override
  public void updateBigDecimal(String name, @Nullable BigDecimal value) throws SQLException {
    result.updateBigDecimal(name, value);
  }

  @Override
  public void updateBinaryStream(String name, @Nullable InputStream value, int length)
      throws SQLException {
    result.updateBinaryStream(name, value, length);
  }

  @Override
  public void updateBinaryStream(String name, @Nullable InputStream value, long length)
      throws SQLException {
    result.updateBinaryStream(name, value, length);
  }

  @Override
  public void updateBinaryStream(String name, @Nullable InputStream value) throws SQLException {
    result.updateBinaryStream(name, value);
  }

  @Override
  public void updateBlob(String name, @Nullable InputStream value, long length)
      throws SQLException {
    result.updateBlob(name, value, length);
  }

  @Override
  public void updateBlob(String name, @Nullable InputStream value) throws SQLException {
    result.updateBlob(name, value);
  }

  @Override
  public void updateBlob(String name, @Nullable Blob value) throws SQLException {
    result.updateBlob(name, value);
  }

  @Override
  public void updateBoolean(String name, boolean value) throws SQLException {
    result.updateBoolean(name, value);
  }

  @Override
  public void updateByte(String name, byte value) throws SQLException {
    result.updateByte(name, value);
  }

  @Override
  public void updateBytes(String name, byte @Nullable [] value) throws SQLException {
    result.updateBytes(name, value);
  }

  @Override
  public void updateCharacterStream(String name, @Nullable Reader value, int length)
      throws SQLException {
    result.updateCharacterStream(name, value, length);
  }

  @Override
  public void updateCharacterStream(String name, @Nullable Reader value, long length)
      throws SQLException {
    result.updateCharacterStream(name, value, length);
  }

  @Override
  public void updateCharacterStream(String name, @Nullable Reader value) throws SQLException {
    result.updateCharacterStream(name, value);
  }

  @Override
  public void updateClob(String name, @Nullable Reader value, long length) throws SQLException {
    result.updateClob(name, value, length);
  }

  @Override
  public void updateClob(String name, @Nullable Reader value) throws SQLException {
    result.updateClob(name, value);
  }

  @Override
  public void updateClob(String name, @Nullable Clob value) throws SQLException {
    result.updateClob(name, value);
  }

  @Override
  public void updateDate(String name, @Nullable Date value) throws SQLException {
    result.updateDate(name, value);
  }

  @Override
  public void updateDouble(String name, double value) throws SQLException {
    result.updateDouble(name, value);
  }

  @Override
  public void updateFloat(String name, float value) throws SQLException {
    result.updateFloat(name, value);
  }

  @Override
  public void updateInt(String name, int value) throws SQLException {
    result.updateInt(name, value);
  }

  @Override
  public void updateLong(String name, long value) throws SQLException {
    result.updateLong(name, value);
  }

  @Override
  public void updateNCharacterStream(String name, @Nullable Reader value, long length)
      throws SQLException {
    result.updateNCharacterStream(name, value, length);
  }

  @Override
  public void updateNCharacterStream(String name, @Nullable Reader value) throws SQLException {
    result.updateNCharacterStream(name, value);
  }

  @Override
  public void updateNClob(String name, @Nullable Reader value, long length) throws SQLException {
    result.updateNClob(name, value, length);
  }

  @Override
  public void updateNClob(String name, @Nullable Reader value) throws SQLException {
    result.updateNClob(name, value);
  }

  @Override
  public void updateNClob(String name, @Nullable NClob value) throws SQLException {
    result.updateNClob(name, value);
  }

  @Override
  public void updateNString(String name, @Nullable String value) throws SQLException {
    result.updateNString(name, value);
  }

  @Override
  public void updateNull(String name) throws SQLException {
    result.updateNull(name);
  }

  @Override
  public void updateObject(String name, @Nullable Object value, int scale) throws SQLException {
    result.updateObject(name, value, scale);
  }

  @Override
  public void updateObject(String name, @Nullable Object value, SQLType type, int scale)
      throws SQLException {
    result.updateObject(name, value, type, scale);
  }

  @Override
  public void updateObject(String name, @Nullable Object value, SQLType type) throws SQLException {
    result.updateObject(name, value, type);
  }

  @Override
  public void updateObject(String name, @Nullable Object value) throws SQLException {
    result.updateObject(name, value);
  }

  @Override
  public void updateRef(String name, @Nullable Ref value) throws SQLException {
    result.updateRef(name, value);
  }

  @Override
  public void updateRowId(String name, @Nullable RowId value) throws SQLException {
    result.updateRowId(name, value);
  }

  @Override
  public void updateSQLXML(String name, @Nullable SQLXML value) throws SQLException {
    result.updateSQLXML(name, value);
  }

  @Override
  public void updateShort(String name, short value) throws SQLException {
    result.updateShort(name, value);
  }

  @Override
  public void updateString(String name, @Nullable String value) throws SQLException {
    result.updateString(name, value);
  }

  @Override
  public void updateTime(String name, @Nullable Time value) throws SQLException {
    result.updateTime(name, value);
  }

  @Override
  public void updateTimestamp(String name, @Nullable Timestamp value) throws SQLException {
    result.updateTimestamp(name, value);
  }
}
