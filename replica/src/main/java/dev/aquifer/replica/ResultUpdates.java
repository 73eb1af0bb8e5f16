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

/** The part of a result that sets columns by index; the server learns of it with the row. */
abstract class ResultUpdates extends ResultColumnsByName {
  ResultUpdates(ResultSet result) {
    super(result);
  }

  @Override
  public void updateArray(int index, @Nullable Array value) throws SQLException {
    result.updateArray(index, value);
  }

  @Override
  public void updateAsciiStream(int index, @Nullable InputStream value, int length)
      throws SQLException {
    result.updateAsciiStream(index, value, length);
  }

  @Override
  public void updateAsciiStream(int index, @Nullable InputStream value, long length)
      throws SQLException {
    result.updateAsciiStream(index, value, length);
  }

  @Override
  public void updateAsciiStream(int index, @Nullable InputStream value) throws SQLException {
    result.updateAsciiStream(index, value);
  }

  @Override
  public void updateBigDecimal(int index, @Nullable BigDecimal value) throws SQLException {
    result.updateBigDecimal(index, value);
  }

  @Override
  public void updateBinaryStream(int index, @Nullable InputStream value, int length)
      throws SQLException {
    result.updateBinaryStream(index, value, length);
  }

  @Override
  public void updateBinaryStream(int index, @Nullable InputStream value, long length)
      throws SQLException {
    result.updateBinaryStream(index, value, length);
  }

  @Override
  public void updateBinaryStream(int index, @Nullable InputStream value) throws SQLException {
    result.updateBinaryStream(index, value);
  }

  @Override
  public void updateBlob(int index, @Nullable InputStream value, long length) throws SQLException {
    result.updateBlob(index, value, length);
  }

  @Override
  public void updateBlob(int index, @Nullable InputStream value) throws SQLException {
    result.updateBlob(index, value);
  }

  @Override
  public void updateBlob(int index, @Nullable Blob value) throws SQLException {
    result.updateBlob(index, value);
  }

  @Override
  public void updateBoolean(int index, boolean value) throws SQLException {
    result.updateBoolean(index, value);
  }

  @Override
  public void updateByte(int index, byte value) throws SQLException {
    result.updateByte(index, value);
  }

  @Override
  public void updateBytes(int index, byte @Nullable [] value) throws SQLException {
    result.updateBytes(index, value);
  }

  @Override
  public void updateCharacterStream(int index, @Nullable Reader value, int length)
      throws SQLException {
    result.updateCharacterStream(index, value, length);
  }

  @Override
  public void updateCharacterStream(int index, @Nullable Reader value, long length)
      throws SQLException {
    result.updateCharacterStream(index, value, length);
  }

  @Override
  public void updateCharacterStream(int index, @Nullable Reader value) throws SQLException {
    result.updateCharacterStream(index, value);
  }

  @Override
  public void updateClob(int index, @Nullable Reader value, long length) throws SQLException {
    result.updateClob(index, value, length);
  }

  @Override
  public void updateClob(int index, @Nullable Reader value) throws SQLException {
    result.updateClob(index, value);
  }

  @Override
  public void updateClob(int index, @Nullable Clob value) throws SQLException {
    result.updateClob(index, value);
  }

  @Override
  public void updateDate(int index, @Nullable Date value) throws SQLException {
    result.updateDate(index, value);
  }

  @Override
  public void updateDouble(int index, double value) throws SQLException {
    result.updateDouble(index, value);
  }

  @Override
  public void updateFloat(int index, float value) throws SQLException {
    result.updateFloat(index, value);
  }

  @Override
  public void updateInt(int index, int value) throws SQLException {
    result.updateInt(index, value);
  }

  @Override
  public void updateLong(int index, long value) throws SQLException {
    result.updateLong(index, value);
  }

  @Override
  public void updateNCharacterStream(int index, @Nullable Reader value, long length)
      throws SQLException {
    result.updateNCharacterStream(index, value, length);
  }

  @Override
  public void updateNCharacterStream(int index, @Nullable Reader value) throws SQLException {
    result.updateNCharacterStream(index, value);
  }

  @Override
  public void updateNClob(int index, @Nullable Reader value, long length) throws SQLException {
    result.updateNClob(index, value, length);
  }

  @Override
  public void updateNClob(int index, @Nullable Reader value) throws SQLException {
    result.updateNClob(index, value);
  }

  @Override
  public void updateNClob(int index, @Nullable NClob value) throws SQLException {
    result.updateNClob(index, value);
  }

  @Override
  public void updateNString(int index, @Nullable String value) throws SQLException {
    result.updateNString(index, value);
  }

  @Override
  public void updateNull(int index) throws SQLException {
    result.updateNull(index);
  }

  @Override
  public void updateObject(int index, @Nullable Object value, int scale) throws SQLException {
    result.updateObject(index, value, scale);
  }

  @Override
  public void updateObject(int index, @Nullable Object value, SQLType type, int scale)
      throws SQLException {
    result.updateObject(index, value, type, scale);
  }

  @Override
  public void updateObject(int index, @Nullable Object value, SQLType type) throws SQLException {
    result.updateObject(index, value, type);
  }

  @Override
  public void updateObject(int index, @Nullable Object value) throws SQLException {
    result.updateObject(index, value);
  }

  @Override
  public void updateRef(int index, @Nullable Ref value) throws SQLException {
    result.updateRef(index, value);
  }

  @Override
  public void updateRowId(int index, @Nullable RowId value) throws SQLException {
    result.updateRowId(index, value);
  }

  @Override
  public void updateSQLXML(int index, @Nullable SQLXML value) throws SQLException {
    result.updateSQLXML(index, value);
  }

  @Override
  public void updateShort(int index, short value) throws SQLException {
    result.updateShort(index, value);
  }

  @Override
  public void updateString(int index, @Nullable String value) throws SQLException {
    result.updateString(index, value);
  }

  @Override
  public void updateTime(int index, @Nullable Time value) throws SQLException {
    result.updateTime(index, value);
  }

  @Override
  public void updateTimestamp(int index, @Nullable Timestamp value) throws SQLException {
    result.updateTimestamp(index, value);
  }
}
