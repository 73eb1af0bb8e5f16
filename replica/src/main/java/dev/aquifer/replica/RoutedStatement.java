package dev.aquifer.replica;

import dev.aquifer.sql.SqlStatement;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement that exists on no server until it is executed. What is set on it is kept and applied
 * to the statement made then, on the node that the execution is routed to; the next execution may
 * go elsewhere. The lease is held until the next execution or the close, as results and counts
 * depend on it.
 *
 * @param <S> what it is on the server's side
 */
abstract class RoutedStatement<S extends Statement> implements Statement {
  final RoutedConnection connection;
  final Cursor cursor;
  private @Nullable Lease lease;
  private volatile @Nullable S physical;
  private volatile boolean closed;
  private List<String> batch = List.of();
  private long maxRows;
  private int fetchSize = -1;
  private int fetchDirection = ResultSet.FETCH_FORWARD;
  private int queryTimeout;
  private int maxFieldSize;
  private boolean escapes = true;
  private @Nullable Boolean poolable;
  private boolean closesOnCompletion;

  RoutedStatement(RoutedConnection connection, Cursor cursor) {
    this.connection = connection;
    this.cursor = cursor;
  }

  /** Makes the server's side. */
  abstract S create(Connection server) throws SQLException;

  /** Whether it can be executed again with the same parameters. */
  boolean isRepeatable() {
    return true;
  }

  boolean mayReplica() {
    return !cursor.isUpdatable();
  }

  @Nullable Lease lease() {
    Lease current = lease;
    return current == null || current.isReleased() ? null : current;
  }

  @Nullable S attached() {
    return lease() == null ? null : physical;
  }

  /** The statement on that lease, made if it is not the one attached already. */
  S attach(Lease wanted) throws SQLException {
    S current = attached();
    if (current != null && lease == wanted) {
      return current;
    }
    detach();
    wanted.use();
    lease = wanted;
    S made = create(wanted.connection);
    physical = made;
    configure(made);
    return made;
  }

  /** Gives up the server's side, if there is one. */
  void detach() throws SQLException {
    Lease old = lease();
    S made = physical;
    lease = null;
    physical = null;
    if (old != null) {
      try {
        if (made != null) {
          made.close();
        }
      } finally {
        connection.done(old);
      }
    }
  }

  private void configure(S made) throws SQLException {
    if (maxRows != 0) {
      made.setLargeMaxRows(maxRows);
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

  private void reconfigured() throws SQLException {
    S current = attached();
    if (current != null) {
      configure(current);
    }
  }

  void checkOpen() throws SQLException {
    if (isClosed()) {
      throw new SQLException("This statement is closed: make a new one", "55000");
    }
  }

  private static void notNegative(String what, long value) throws SQLException {
    if (value < 0) {
      throw new SQLException("%s is %d: give 0 or more".formatted(what, value), "22023");
    }
  }

  private <T extends @Nullable Object> T run(
      String sql, boolean mayReplica, RoutedConnection.Call<S, T> call) throws SQLException {
    checkOpen();
    return connection.execute(this, sql, mayReplica && mayReplica(), call);
  }

  @Override
  public ResultSet executeQuery(String sql) throws SQLException {
    return run(sql, true, made -> made.executeQuery(sql));
  }

  @Override
  public boolean execute(String sql) throws SQLException {
    return run(sql, true, made -> made.execute(sql));
  }

  @Override
  public int executeUpdate(String sql) throws SQLException {
    return run(sql, false, made -> made.executeUpdate(sql));
  }

  @Override
  public long executeLargeUpdate(String sql) throws SQLException {
    return run(sql, false, made -> made.executeLargeUpdate(sql));
  }

  @Override
  public int executeUpdate(String sql, int keys) throws SQLException {
    return run(sql, false, made -> made.executeUpdate(sql, keys));
  }

  @Override
  public int executeUpdate(String sql, int[] keys) throws SQLException {
    return run(sql, false, made -> made.executeUpdate(sql, keys));
  }

  @Override
  public int executeUpdate(String sql, String[] keys) throws SQLException {
    return run(sql, false, made -> made.executeUpdate(sql, keys));
  }

  @Override
  public long executeLargeUpdate(String sql, int keys) throws SQLException {
    return run(sql, false, made -> made.executeLargeUpdate(sql, keys));
  }

  @Override
  public long executeLargeUpdate(String sql, int[] keys) throws SQLException {
    return run(sql, false, made -> made.executeLargeUpdate(sql, keys));
  }

  @Override
  public long executeLargeUpdate(String sql, String[] keys) throws SQLException {
    return run(sql, false, made -> made.executeLargeUpdate(sql, keys));
  }

  @Override
  public boolean execute(String sql, int keys) throws SQLException {
    return run(sql, false, made -> made.execute(sql, keys));
  }

  @Override
  public boolean execute(String sql, int[] keys) throws SQLException {
    return run(sql, false, made -> made.execute(sql, keys));
  }

  @Override
  public boolean execute(String sql, String[] keys) throws SQLException {
    return run(sql, false, made -> made.execute(sql, keys));
  }

  @Override
  public void addBatch(String sql) throws SQLException {
    checkOpen();
    if (batch.isEmpty()) {
      batch = new ArrayList<>();
    }
    batch.add(sql);
  }

  @Override
  public void clearBatch() throws SQLException {
    checkOpen();
    batch = List.of();
  }

  @Override
  public int[] executeBatch() throws SQLException {
    return batched(Statement::executeBatch, new int[0]);
  }

  @Override
  public long[] executeLargeBatch() throws SQLException {
    return batched(Statement::executeLargeBatch, new long[0]);
  }

  private <T> T batched(RoutedConnection.Call<S, T> call, T nothing) throws SQLException {
    checkOpen();
    List<String> texts = batch;
    batch = List.of();
    if (texts.isEmpty()) {
      return nothing;
    }
    List<SqlStatement> parsed = new ArrayList<>(texts.size());
    for (String text : texts) {
      parsed.add(connection.analyze(text));
    }
    return connection.execute(
        this,
        parsed.get(0),
        parsed.subList(1, parsed.size()),
        false,
        made -> {
          for (String text : texts) {
            made.addBatch(text);
          }
          return call.on(made);
        });
  }

  @Override
  public void close() throws SQLException {
    if (!closed) {
      closed = true;
      detach();
    }
  }

  @Override
  public boolean isClosed() throws SQLException {
    S made = attached();
    return closed
        || connection.isClosed()
        || (closesOnCompletion && made != null && made.isClosed());
  }

  /** May be called by any thread. */
  @Override
  public void cancel() throws SQLException {
    S running = physical;
    if (running != null) {
      running.cancel();
    }
  }

  @Override
  public Connection getConnection() throws SQLException {
    checkOpen();
    return connection;
  }

  @Override
  public @Nullable SQLWarning getWarnings() throws SQLException {
    checkOpen();
    S made = attached();
    return made == null ? null : made.getWarnings();
  }

  @Override
  public void clearWarnings() throws SQLException {
    checkOpen();
    S made = attached();
    if (made != null) {
      made.clearWarnings();
    }
  }

  @Override
  public @Nullable ResultSet getResultSet() throws SQLException {
    checkOpen();
    S made = attached();
    return made == null ? null : made.getResultSet();
  }

  @Override
  public int getUpdateCount() throws SQLException {
    checkOpen();
    S made = attached();
    return made == null ? -1 : made.getUpdateCount();
  }

  @Override
  public long getLargeUpdateCount() throws SQLException {
    checkOpen();
    S made = attached();
    return made == null ? -1 : made.getLargeUpdateCount();
  }

  @Override
  public boolean getMoreResults() throws SQLException {
    checkOpen();
    S made = attached();
    return made != null && made.getMoreResults();
  }

  @Override
  public boolean getMoreResults(int current) throws SQLException {
    checkOpen();
    S made = attached();
    return made != null && made.getMoreResults(current);
  }

  @Override
  public ResultSet getGeneratedKeys() throws SQLException {
    checkOpen();
    S made = attached();
    if (made == null) {
      throw new SQLException("There are no generated keys before an execution", "55000");
    }
    return made.getGeneratedKeys();
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
    reconfigured();
  }

  @Override
  public int getMaxRows() {
    return (int) Math.min(Integer.MAX_VALUE, maxRows);
  }

  @Override
  public void setMaxRows(int max) throws SQLException {
    setLargeMaxRows(max);
  }

  @Override
  public long getLargeMaxRows() {
    return maxRows;
  }

  @Override
  public void setLargeMaxRows(long max) throws SQLException {
    checkOpen();
    notNegative("maxRows", max);
    maxRows = max;
    S made = attached();
    if (made != null) {
      made.setLargeMaxRows(max);
    }
  }

  @Override
  public void setEscapeProcessing(boolean enable) throws SQLException {
    checkOpen();
    escapes = enable;
    S made = attached();
    if (made != null) {
      made.setEscapeProcessing(enable);
    }
  }

  @Override
  public int getQueryTimeout() {
    return queryTimeout;
  }

  @Override
  public void setQueryTimeout(int seconds) throws SQLException {
    checkOpen();
    notNegative("queryTimeout", seconds);
    queryTimeout = seconds;
    S made = attached();
    if (made != null) {
      made.setQueryTimeout(seconds);
    }
  }

  @Override
  public void setCursorName(String name) throws SQLException {
    checkOpen();
  }

  @Override
  public void setFetchDirection(int direction) throws SQLException {
    checkOpen();
    fetchDirection = direction;
    reconfigured();
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
    reconfigured();
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
    reconfigured();
  }

  @Override
  public boolean isPoolable() {
    return poolable != null && poolable;
  }

  @Override
  public void closeOnCompletion() throws SQLException {
    checkOpen();
    closesOnCompletion = true;
    reconfigured();
  }

  @Override
  public boolean isCloseOnCompletion() {
    return closesOnCompletion;
  }

  /** The driver's statement is one of the execution just made; later ones may use another. */
  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    S made = attached();
    if (made == null) {
      made = attach(connection.pinnedLease(true));
    }
    return made.unwrap(type);
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type.isInstance(this) || type.isAssignableFrom(org.postgresql.core.BaseStatement.class);
  }
}
