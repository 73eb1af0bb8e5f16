package dev.aquifer.replica;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * What is set on a routed statement: kept, and applied to each statement that is made of it on a
 * server.
 *
 * @param <S> what it is on the server's side
 */
abstract class StatementOptions<S extends Statement> implements Statement {
  final RoutedConnection connection;
  final Cursor cursor;
  private long maxRows;
  private int fetchSize = -1;
  private int fetchDirection = ResultSet.FETCH_FORWARD;
  private int queryTimeout;
  private int maxFieldSize;
  private boolean escapes = true;
  private @Nullable Boolean poolable;
  private boolean closesOnCompletion;

  StatementOptions(RoutedConnection connection, Cursor cursor) {
    this.connection = connection;
    this.cursor = cursor;
  }

  abstract void checkOpen() throws SQLException;

  /** The server's side, if there is one. */
  abstract @Nullable S attached();

  /** Brings a new statement of the server's to the options. */
  void configure(S made) throws SQLException {
    if (maxRows != 0) {
      limit(made);
    }
    if (fetchSize >= 0) {
      made.setFetchSize(fetchSize);
    }
    if (fetchDirection != ResultSet.FETCH_FORWARD) {
      made.setFetchDirection(fetchDirection);
    }
    if (queryTimeout != 0) {
      made.setQueryTimeout(queryTimeout);
    }
    if (maxFieldSize != 0) {
      made.setMaxFieldSize(maxFieldSize);
    }
    if (!escapes) {
      made.setEscapeProcessing(false);
    }
    if (poolable != null) {
      made.setPoolable(poolable);
    }
    if (closesOnCompletion) {
      made.closeOnCompletion();
    }
  }

  /** PostgreSQL's driver does not have the larger form. */
  private void limit(S made) throws SQLException {
    if (maxRows <= Integer.MAX_VALUE) {
      made.setMaxRows((int) maxRows);
    } else {
      made.setLargeMaxRows(maxRows);
    }
  }

  /** One option of the server's side. */
  private interface Option<S> {
    void on(S made) throws SQLException;
  }

  /** Brings the server's side, if there is one, to an option that has changed. */
  private void changed(Option<S> option) throws SQLException {
    S made = attached();
    if (made != null) {
      option.on(made);
    }
  }

  private static void notNegative(String what, long value) throws SQLException {
    if (value < 0) {
      throw new SQLException("%s is %d: give 0 or more".formatted(what, value), "22023");
    }
  }

  @Override
  public int getMaxFieldSize() {
    return maxFieldSize;
  }

  @Override
  public void setMaxFieldSize(int max) throws SQLException {
    checkOpen();
    notNegative("maxFieldSize", max);
    maxFieldSize = max;
    changed(made -> made.setMaxFieldSize(max));
  }

  @Override
  public int getMaxRows() throws SQLException {
    checkOpen();
    return (int) Math.min(Integer.MAX_VALUE, maxRows);
  }

  @Override
  public void setMaxRows(int max) throws SQLException {
    setLargeMaxRows(max);
  }

  @Override
  public long getLargeMaxRows() throws SQLException {
    checkOpen();
    return maxRows;
  }

  @Override
  public void setLargeMaxRows(long max) throws SQLException {
    checkOpen();
    notNegative("maxRows", max);
    maxRows = max;
    changed(this::limit);
  }

  @Override
  public void setEscapeProcessing(boolean enable) throws SQLException {
    checkOpen();
    escapes = enable;
    changed(made -> made.setEscapeProcessing(enable));
  }

  @Override
  public int getQueryTimeout() throws SQLException {
    checkOpen();
    return queryTimeout;
  }

  @Override
  public void setQueryTimeout(int seconds) throws SQLException {
    checkOpen();
    notNegative("queryTimeout", seconds);
    queryTimeout = seconds;
    changed(made -> made.setQueryTimeout(seconds));
  }

  @Override
  public void setCursorName(String name) throws SQLException {
    checkOpen();
  }

  @Override
  public void setFetchDirection(int direction) throws SQLException {
    checkOpen();
    if (direction < ResultSet.FETCH_FORWARD || direction > ResultSet.FETCH_UNKNOWN) {
      throw new SQLException(
          "Fetch direction %d is not one of JDBC's".formatted(direction), "22023");
    }
    fetchDirection = direction;
    changed(made -> made.setFetchDirection(direction));
  }

  @Override
  public int getFetchDirection() {
    return fetchDirection;
  }

  @Override
  public void setFetchSize(int rows) throws SQLException {
    checkOpen();
    notNegative("fetchSize", rows);
    fetchSize = rows;
    changed(made -> made.setFetchSize(rows));
  }

  @Override
  public int getFetchSize() {
    return Math.max(0, fetchSize);
  }

  @Override
  public int getResultSetConcurrency() {
    return cursor.concurrency();
  }

  @Override
  public int getResultSetType() {
    return cursor.type();
  }

  @Override
  public int getResultSetHoldability() throws SQLException {
    return cursor.holdabilityOn(connection);
  }

  @Override
  public void setPoolable(boolean poolable) throws SQLException {
    checkOpen();
    this.poolable = poolable;
    changed(made -> made.setPoolable(poolable));
  }

  @Override
  public boolean isPoolable() throws SQLException {
    checkOpen();
    return poolable != null ? poolable : !(this instanceof PlainStatement);
  }

  @Override
  public void closeOnCompletion() throws SQLException {
    checkOpen();
    closesOnCompletion = true;
    changed(Statement::closeOnCompletion);
  }

  @Override
  public boolean isCloseOnCompletion() {
    return closesOnCompletion;
  }
}
