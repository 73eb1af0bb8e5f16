package dev.aquifer.replica;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import org.jspecify.annotations.Nullable;

/** The part of a result that moves among its rows. */
abstract class ResultRows extends ResultUpdatesByName {
  ResultRows(ResultSet result) {
    super(result);
  }

  @Override
  public boolean absolute(int row) throws SQLException {
    return result.absolute(row);
  }

  @Override
  public void afterLast() throws SQLException {
    result.afterLast();
  }

  @Override
  public void beforeFirst() throws SQLException {
    result.beforeFirst();
  }

  @Override
  public void cancelRowUpdates() throws SQLException {
    result.cancelRowUpdates();
  }

  @Override
  public void clearWarnings() throws SQLException {
    result.clearWarnings();
  }

  @Override
  public int findColumn(String name) throws SQLException {
    return result.findColumn(name);
  }

  @Override
  public boolean first() throws SQLException {
    return result.first();
  }

  @Override
  public int getConcurrency() throws SQLException {
    return result.getConcurrency();
  }

  @Override
  public String getCursorName() throws SQLException {
    return result.getCursorName();
  }

  @Override
  public int getFetchDirection() throws SQLException {
    return result.getFetchDirection();
  }

  @Override
  public int getFetchSize() throws SQLException {
    return result.getFetchSize();
  }

  @Override
  public int getHoldability() throws SQLException {
    return result.getHoldability();
  }

  @Override
  public ResultSetMetaData getMetaData() throws SQLException {
    return result.getMetaData();
  }

  @Override
  public int getRow() throws SQLException {
    return result.getRow();
  }

  @Override
  public int getType() throws SQLException {
    return result.getType();
  }

  @Override
  public @Nullable SQLWarning getWarnings() throws SQLException {
    return result.getWarnings();
  }

  @Override
  public boolean isAfterLast() throws SQLException {
    return result.isAfterLast();
  }

  @Override
  public boolean isBeforeFirst() throws SQLException {
    return result.isBeforeFirst();
  }

  @Override
  public boolean isClosed() throws SQLException {
    return result.isClosed();
  }

  @Override
  public boolean isFirst() throws SQLException {
    return result.isFirst();
  }

  @Override
  public boolean isLast() throws SQLException {
    return result.isLast();
  }

  @Override
  public boolean last() throws SQLException {
    return result.last();
  }

  @Override
  public void moveToCurrentRow() throws SQLException {
    result.moveToCurrentRow();
  }

  @Override
  public void moveToInsertRow() throws SQLException {
    result.moveToInsertRow();
  }

  @Override
  public boolean next() throws SQLException {
    return result.next();
  }

  @Override
  public boolean previous() throws SQLException {
    return result.previous();
  }

  @Override
  public void refreshRow() throws SQLException {
    result.refreshRow();
  }

  @Override
  public boolean relative(int rows) throws SQLException {
    return result.relative(rows);
  }

  @Override
  public boolean rowDeleted() throws SQLException {
    return result.rowDeleted();
  }

  @Override
  public boolean rowInserted() throws SQLException {
    return result.rowInserted();
  }

  @Override
  public boolean rowUpdated() throws SQLException {
    return result.rowUpdated();
  }

  @Override
  public void setFetchDirection(int direction) throws SQLException {
    result.setFetchDirection(direction);
  }

  @Override
  public void setFetchSize(int rows) throws SQLException {
    result.setFetchSize(rows);
  }

  @Override
  public boolean wasNull() throws SQLException {
    return result.wasNull();
  }
}
