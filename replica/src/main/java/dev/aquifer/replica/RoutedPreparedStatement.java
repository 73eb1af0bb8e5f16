package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A prepared statement that belongs to no node: its text and its parameters are kept here, and each
 * execution replays them on a statement of the node that it is routed to. The driver remembers what
 * was prepared on each server connection, so that coming back to one costs no new parse.
 */
final class RoutedPreparedStatement extends ParameterSetters {
  private static final int MAX_PARAMETERS = 65_535;

  private final String sql;
  private final GeneratedKeys keys;
  private @Nullable Binding[] bindings = new @Nullable Binding[4];
  private int bound;
  private boolean once;
  private List<@Nullable Binding[]> batch = List.of();

  RoutedPreparedStatement(
      RoutedConnection connection, String sql, Cursor cursor, GeneratedKeys keys) {
    super(connection, cursor);
    this.sql = sql;
    this.keys = keys;
  }

  @Override
  PreparedStatement create(Connection server) throws SQLException {
    return keys.wanted()
        ? keys.prepare(server, sql)
        : server.prepareStatement(
            sql, cursor.type(), cursor.concurrency(), cursor.holdabilityOn(server));
  }

  @Override
  boolean mayReplica() {
    return super.mayReplica() && !keys.wanted();
  }

  @Override
  boolean isRepeatable() {
    return !once;
  }

  @Override
  void bind(int index, Binding binding) throws SQLException {
    checkOpen();
    if (index < 1 || index > MAX_PARAMETERS) {
      throw new SQLException(
          "Parameter index %d is not between 1 and %d".formatted(index, MAX_PARAMETERS), "22023");
    }
    if (index > bindings.length) {
      bindings = Arrays.copyOf(bindings, Math.max(index, bindings.length * 2));
    }
    bindings[index - 1] = binding;
    bound = Math.max(bound, index);
  }

  @Override
  void bindOnce(int index, Binding binding) throws SQLException {
    bind(index, binding);
    once = true;
  }

  @Override
  public void clearParameters() throws SQLException {
    Arrays.fill(bindings, null);
    bound = 0;
    once = false;
    PreparedStatement made = attached();
    if (made != null) {
      made.clearParameters();
    }
  }

  private static void replay(@Nullable Binding[] bindings, int count, PreparedStatement made)
      throws SQLException {
    for (int i = 0; i < count; i++) {
      Binding binding = bindings[i];
      if (binding != null) {
        binding.on(made);
      }
    }
  }

  private <T extends @Nullable Object> T run(
      boolean mayReplica, Execution.Call<PreparedStatement, T> call) throws SQLException {
    checkOpen();
    return connection.execute(
        this,
        sql,
        mayReplica && mayReplica(),
        made -> {
          replay(bindings, bound, made);
          return call.on(made);
        });
  }

  @Override
  public ResultSet executeQuery() throws SQLException {
    return routed(run(true, PreparedStatement::executeQuery));
  }

  @Override
  public boolean execute() throws SQLException {
    return run(true, PreparedStatement::execute);
  }

  @Override
  public int executeUpdate() throws SQLException {
    return run(false, PreparedStatement::executeUpdate);
  }

  @Override
  public long executeLargeUpdate() throws SQLException {
    return run(false, PreparedStatement::executeLargeUpdate);
  }

  @Override
  public void addBatch() throws SQLException {
    checkOpen();
    if (batch.isEmpty()) {
      batch = new ArrayList<>();
    }
    batch.add(Arrays.copyOf(bindings, bound));
  }

  @Override
  public void addBatch(String text) throws SQLException {
    throw noOtherText();
  }

  @Override
  public void clearBatch() throws SQLException {
    super.clearBatch();
    batch = List.of();
  }

  @Override
  public int[] executeBatch() throws SQLException {
    return batched(PreparedStatement::executeBatch, new int[0]);
  }

  @Override
  public long[] executeLargeBatch() throws SQLException {
    return batched(PreparedStatement::executeLargeBatch, new long[0]);
  }

  private <T> T batched(Execution.Call<PreparedStatement, T> call, T nothing) throws SQLException {
    checkOpen();
    List<@Nullable Binding[]> rows = batch;
    batch = List.of();
    if (rows.isEmpty()) {
      return nothing;
    }
    return connection.execute(
        this,
        sql,
        false,
        made -> {
          for (@Nullable Binding[] row : rows) {
            replay(row, row.length, made);
            made.addBatch();
          }
          return call.on(made);
        });
  }

  @Override
  public @Nullable ResultSetMetaData getMetaData() throws SQLException {
    checkOpen();
    return connection.prepare(this, sql, mayReplica()).getMetaData();
  }

  @Override
  public ParameterMetaData getParameterMetaData() throws SQLException {
    checkOpen();
    return connection.prepare(this, sql, mayReplica()).getParameterMetaData();
  }
}
