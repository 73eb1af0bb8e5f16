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
abstract class RoutedStatement<S extends Statement> extends StatementOptions<S> {
  private @Nullable Lease lease;
  private volatile @Nullable S physical;
  private volatile boolean closed;
  private @Nullable SqlStatement executed;
  private List<String> batch = List.of();

  RoutedStatement(RoutedConnection connection, Cursor cursor) {
    super(connection, cursor);
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

  @Override
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

  /** What the application knows this statement as. */
  Statement shown() {
    return this;
  }

  /** What the current results are of. */
  void executes(SqlStatement parsed) {
    executed = parsed;
  }

  ResultSet routed(ResultSet result) {
    return new RoutedResult(this, result);
  }

  /** A row of this statement's result is written. */
  void writeRow(Execution.RowWrite write) throws SQLException {
    Lease current = lease();
    if (current == null) {
      // It is gone, which the driver says.
      write.on();
    } else {
      connection.writeRow(current, executed, write);
    }
  }

  /** The application holds the driver's own statement, or a result of it. */
  void unwrapped() throws SQLException {
    Lease current = lease();
    if (current != null) {
      connection.unwrapped(current);
    }
  }

  /** A result was closed: with closeOnCompletion, the last one closes this too. */
  void completed() throws SQLException {
    if (!closed && isCloseOnCompletion() && isClosed()) {
      close();
    }
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

  @Override
  void checkOpen() throws SQLException {
    if (!closed) {
      connection.checkOpen();
    }
    if (isClosed()) {
      throw new SQLException("This statement is closed: make a new one", "55000");
    }
  }

  private <T extends @Nullable Object> T run(
      String sql, boolean mayReplica, Execution.Call<S, T> call) throws SQLException {
    checkOpen();
    return connection.execute(this, sql, mayReplica && mayReplica(), call);
  }

  @Override
  public ResultSet executeQuery(String sql) throws SQLException {
    return routed(run(sql, true, made -> made.executeQuery(sql)));
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

  static SQLException noOtherText() {
    return new SQLException(
        "A prepared statement runs its own text: use addBatch() without one", "42809");
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

  private <T> T batched(Execution.Call<S, T> call, T nothing) throws SQLException {
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
    return connection.executeAll(
        this,
        parsed,
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
        || (isCloseOnCompletion() && made != null && made.isClosed());
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
    ResultSet result = made == null ? null : made.getResultSet();
    return result == null ? null : routed(result);
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
    return routed((made == null ? connection.idle(this) : made).getGeneratedKeys());
  }

  /** The driver's statement is one of the execution just made; later ones may use another. */
  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    S made = attached();
    if (made == null) {
      made = attach(connection.pinnedLease());
    }
    T found = made.unwrap(type);
    unwrapped();
    return found;
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type.isInstance(this) || type.isAssignableFrom(org.postgresql.core.BaseStatement.class);
  }
}
