package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.sql.Reason;
import dev.aquifer.sql.SqlStatement;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * A connection that has no server until a statement needs one, and then the one that the statement
 * may use.
 *
 * <p>Outside a transaction each statement goes its own way: a read that provably changes nothing to
 * a replica that is fresh enough, everything else to the primary. A transaction stays where its
 * first statement went: a read-only one that begins with such a read on a replica, any other on the
 * primary. What leaves something in the session (SET, LISTEN, temporary tables, cursors) or takes
 * the driver's own connection pins: from then on one server connection serves all, and it is not
 * reused by others afterwards.
 *
 * <p>At most one connection of a replica and one of the primary are held at a time, so that callers
 * cannot starve each other of a second one.
 *
 * <p>A read outside a transaction that failed before it delivered anything, because its replica was
 * lost, cancelled it or refused it, is run again elsewhere. Nothing else is ever run twice.
 */
final class RoutedConnection extends RoutedConnectionSurface {
  /** What is done with a statement of the node that was chosen. */
  @FunctionalInterface
  interface Call<S extends Statement, T extends @Nullable Object> {
    T on(S physical) throws SQLException;
  }

  private final ReplicaSet set;
  private final TransactionWrites writes = new TransactionWrites();
  private @Nullable Lease reader;
  private @Nullable Lease writer;
  private @Nullable Lease transaction;
  private @Nullable Lease pinned;

  /** A transaction that the application began by SQL, while JDBC says autocommit. */
  private boolean begun;

  /** The open transaction, or the statement itself, changes what the server's catalogue tells. */
  private boolean schema;

  private volatile boolean closed;

  RoutedConnection(ReplicaSet set) {
    this.set = set;
  }

  /**
   * Runs a statement where it belongs. {@code mayReplica} is false for calls that imply writing.
   */
  <S extends Statement, T extends @Nullable Object> T execute(
      RoutedStatement<S> statement, String sql, boolean mayReplica, Call<S, T> call)
      throws SQLException {
    return execute(statement, set.analyze(sql), List.of(), mayReplica, call);
  }

  /** The same for a batch of several texts. */
  <S extends Statement, T extends @Nullable Object> T execute(
      RoutedStatement<S> statement,
      SqlStatement parsed,
      List<SqlStatement> more,
      boolean mayReplica,
      Call<S, T> call)
      throws SQLException {
    checkOpen();
    Route route = route(statement, parsed, mayReplica);
    boolean repeatable =
        settings.autoCommit
            && !begun
            && pinned == null
            && route.reason() == RouteReason.READ
            && statement.isRepeatable();
    SqlStatement known = parsed;
    for (int left = set.retries(); ; left--) {
      try {
        return run(statement, known, more, route, call);
      } catch (SQLException e) {
        Route next =
            repeatable && left > 0 ? set.elsewhere(route.node(), parsed, e, left == 1) : null;
        if (next == null) {
          throw e;
        }
        if (Failures.isRefusedByStandby(e)) {
          known = set.refused(parsed);
        }
        statement.detach();
        route = next;
      }
    }
  }

  /** A statement of the node that it would run on, without running it. */
  <S extends Statement> S prepare(RoutedStatement<S> statement, String sql, boolean mayReplica)
      throws SQLException {
    checkOpen();
    S attached = statement.attached();
    return attached != null
        ? attached
        : statement.attach(lease(route(statement, set.analyze(sql), mayReplica)));
  }

  SqlStatement analyze(String sql) {
    return set.analyze(sql);
  }

  private Route route(RoutedStatement<?> statement, SqlStatement parsed, boolean mayReplica)
      throws SQLException {
    if (pinned != null) {
      return pinned.node.route(RouteReason.PINNED);
    }
    if (transaction != null) {
      return inTransaction(transaction, parsed);
    }
    boolean reads = mayReplica && parsed.mayUseReplica();
    if (!settings.autoCommit
        && (!settings.readOnly || settings.isolation == Connection.TRANSACTION_SERIALIZABLE)) {
      return set.primary(reads ? RouteReason.TRANSACTION : RouteReason.WRITE);
    }
    if (!reads) {
      return set.primary(RouteReason.WRITE);
    }
    Lease held = reader;
    if (held == null || (held == statement.lease() && !held.isShared())) {
      return set.read();
    }
    return set.mayRead(held.node)
        ? held.node.route(RouteReason.READ)
        : set.primary(RouteReason.FRESHNESS);
  }

  private static Route inTransaction(Lease lease, SqlStatement parsed) throws SQLException {
    if (lease.node.role != Role.REPLICA) {
      return lease.node.route(RouteReason.TRANSACTION);
    }
    // A standby would do these, for itself alone, and nobody would notice.
    if (parsed.reason() == Reason.SESSION_FUNCTION || parsed.reason() == Reason.PRIMARY_FUNCTION) {
      throw new SQLException(
          "This read-only transaction runs on the replica %s, and the statement needs the primary: %s. Begin the transaction without setReadOnly(true)."
              .formatted(lease.node, parsed.explanation()),
          "25006");
    }
    return lease.node.route(RouteReason.READ);
  }

  private <S extends Statement, T extends @Nullable Object> T run(
      RoutedStatement<S> statement,
      SqlStatement parsed,
      List<SqlStatement> more,
      Route route,
      Call<S, T> call)
      throws SQLException {
    Lease held = statement.lease();
    if (held != null && held.node != route.node()) {
      statement.detach();
    }
    Lease lease = lease(route);
    // Another one, if the node that was chosen went away meanwhile.
    Node node = lease.node;
    S physical;
    try {
      physical = statement.attach(lease);
    } catch (SQLException e) {
      throw failed(e, lease, parsed, more, null);
    }
    if (!settings.autoCommit && transaction == null) {
      transaction = lease;
      lease.use();
    }
    set.routed(node == route.node() ? route : node.route(route.reason()));
    LastRoute.record(node.role);
    Position known = node.role == Role.REPLICA ? node.position : null;
    Object incarnation = node.incarnation;
    WriteSet announced = before(parsed, more);
    long started = System.nanoTime();
    T result;
    try {
      result = call.on(physical);
    } catch (SQLException e) {
      throw failed(e, lease, parsed, more, announced);
    } catch (RuntimeException | Error e) {
      uncertain(announced);
      throw e;
    }
    long ended = System.nanoTime();
    node.responded(ended - started, ended);
    after(lease, parsed, more, announced);
    set.seen(known, incarnation, ended);
    return result;
  }

  /** What the statement, outside a transaction or at its end, is about to commit. */
  private @Nullable WriteSet before(SqlStatement parsed, List<SqlStatement> more) {
    boolean inTransaction = !settings.autoCommit || begun;
    writes.add(parsed);
    schema |= parsed.changesSchema();
    for (SqlStatement each : more) {
      writes.add(each);
      schema |= each.changesSchema();
    }
    boolean commits =
        parsed.endsTransaction()
            && !parsed.verb().equals("ROLLBACK")
            && !parsed.verb().equals("ABORT");
    if ((inTransaction && !commits) || writes.isEmpty()) {
      return null;
    }
    WriteSet taken = writes.take(set.commits.nextId());
    if (taken != null) {
      announce(taken);
    }
    return taken;
  }

  private void after(
      Lease lease, SqlStatement parsed, List<SqlStatement> more, @Nullable WriteSet announced)
      throws SQLException {
    if (announced != null) {
      committed(announced);
    }
    boolean shaped = parsed.beginsTransaction() || parsed.endsTransaction();
    boolean kept = parsed.changesSession();
    for (SqlStatement each : more) {
      shaped |= each.beginsTransaction() || each.endsTransaction();
      kept |= each.changesSession();
    }
    if (kept) {
      lease.spoil();
      pin(lease);
    }
    if (shaped) {
      if (parsed.endsTransaction() && announced == null) {
        writes.clear();
      }
      shaped(lease);
      if (announced != null && (begun || transaction != null)) {
        // The text left a transaction open, which commits, or ended one and began another.
        writes.restore(announced);
      }
    }
  }

  /** BEGIN or COMMIT came as SQL: the driver knows what they led to. */
  private void shaped(Lease lease) throws SQLException {
    boolean open =
        lease.connection.unwrap(BaseConnection.class).getTransactionState()
            != TransactionState.IDLE;
    if (settings.autoCommit) {
      begun = open;
      if (open) {
        lease.spoil();
        pin(lease);
      }
    } else if (!open) {
      endTransaction();
    }
  }

  private SQLException failed(
      SQLException error,
      Lease lease,
      SqlStatement parsed,
      List<SqlStatement> more,
      @Nullable WriteSet announced)
      throws SQLException {
    Node node = lease.node;
    boolean lost = Failures.isConnectionLost(error);
    if (lost) {
      set.accuse(node);
    }
    if (announced != null) {
      boolean whole = parsed.statements() == 1 && !parsed.writesUnknownTables() && more.isEmpty();
      if (lost) {
        uncertain(announced);
      } else if (!whole || error instanceof java.sql.BatchUpdateException) {
        // Some of it may stand.
        committed(announced);
      } else {
        set.commits.rolledBack(announced);
      }
    }
    if (lost && (transaction != null || begun)) {
      boolean committing = parsed.endsTransaction() && announced != null;
      abandon();
      return committing ? unknownOutcome(node, error) : transactionLost(node, error);
    }
    if (lost && pinned == null) {
      forget(lease);
    }
    return error;
  }

  private void announce(WriteSet announced) {
    if (schema) {
      // From before it can be seen: what is known by then is not what a reader meets.
      set.schemaChanged();
    }
    set.commits.committing(announced);
  }

  private void committed(WriteSet announced) {
    changedSchema(announced);
    set.commits.committed(announced);
  }

  private void changedSchema(WriteSet announced) {
    if (schema) {
      schema = false;
      set.schemaChanged();
    } else if (announced.unknownTables()) {
      set.schemaMayHaveChanged();
    }
  }

  /** It may stand, now or later. */
  private void uncertain(@Nullable WriteSet announced) {
    if (announced != null) {
      changedSchema(announced);
      set.commits.outcomeUnknown(announced);
    }
  }

  private static SQLException transactionLost(Node node, SQLException cause) {
    return new SQLTransientConnectionException(
        "The transaction on %s was lost with its connection; nothing of it was committed. Begin it again: %s"
            .formatted(node, cause.getMessage()),
        "08006",
        cause);
  }

  private static SQLException unknownOutcome(Node node, SQLException cause) {
    return new SQLNonTransientConnectionException(
        "The connection to %s was lost during COMMIT; whether the transaction was committed is unknown. Look before it is run again: %s"
            .formatted(node, cause.getMessage()),
        "08007",
        cause);
  }

  /** A connection of the route's node: one already held, or a new one. */
  private Lease lease(Route chosen) throws SQLException {
    Route route = chosen;
    Lease found = leaseOf(route);
    while (found == null) {
      route = set.again(route);
      found = leaseOf(route);
    }
    return found;
  }

  private @Nullable Lease leaseOf(Route route) throws SQLException {
    Node node = route.node();
    Lease held = pinned != null ? pinned : transaction;
    if (held == null) {
      held = holding(reader, node) ? reader : holding(writer, node) ? writer : null;
    }
    if (held == null) {
      boolean replica = node.role == Role.REPLICA;
      held = leased(route);
      if (held == null) {
        return null;
      }
      if (replica) {
        dropUnused(reader);
        reader = held;
      } else {
        dropUnused(writer);
        writer = held;
      }
    }
    held.prepare(settings);
    return held;
  }

  private @Nullable Lease leased(Route route) throws SQLException {
    try {
      return Lease.of(route, set.relieves(route));
    } catch (SQLException e) {
      if (Failures.isConnectionLost(e)) {
        set.accuse(route.node());
      }
      throw e;
    }
  }

  private static boolean holding(@Nullable Lease lease, Node node) {
    return lease != null && lease.node == node && !lease.isReleased();
  }

  private static void dropUnused(@Nullable Lease lease) throws SQLException {
    if (lease != null) {
      lease.release();
    }
  }

  /** A statement is done with a lease. */
  void done(Lease lease) throws SQLException {
    lease.unuse();
    if (!lease.isUsed()) {
      release(lease);
    }
  }

  private void release(Lease lease) throws SQLException {
    if (reader == lease) {
      reader = null;
    }
    if (writer == lease) {
      writer = null;
    }
    lease.release();
  }

  private void pin(Lease lease) {
    if (pinned == null) {
      pinned = lease;
      lease.use();
    }
  }

  private void endTransaction() throws SQLException {
    Lease ended = transaction;
    transaction = null;
    writes.clear();
    if (ended != null) {
      done(ended);
    }
  }

  /**
   * The transaction is gone with its connection. A pinned one stays pinned to what is lost: later
   * statements fail too, instead of running where the session's state is missing.
   */
  private void abandon() {
    Lease lost = transaction;
    begun = false;
    transaction = null;
    writes.clear();
    if (lost != null && pinned == null) {
      forget(lost);
    }
  }

  private void forget(Lease lost) {
    lost.spoil();
    try {
      release(lost);
    } catch (SQLException e) {
      // It is lost already; the caller hears of that.
      return;
    }
  }

  @Override
  public void commit() throws SQLException {
    checkTransaction("commit");
    Lease open = transaction;
    if (open == null) {
      return;
    }
    WriteSet announced = writes.take(set.commits.nextId());
    if (announced != null) {
      announce(announced);
    }
    try {
      open.connection.commit();
    } catch (SQLException e) {
      throw commitFailed(open.node, announced, e);
    } catch (RuntimeException | Error e) {
      uncertain(announced);
      throw e;
    }
    if (announced != null) {
      committed(announced);
    }
    endTransaction();
  }

  private SQLException commitFailed(Node node, @Nullable WriteSet announced, SQLException error)
      throws SQLException {
    if (Failures.isConnectionLost(error)) {
      set.accuse(node);
      uncertain(announced);
      abandon();
      return unknownOutcome(node, error);
    }
    if (announced != null) {
      set.commits.rolledBack(announced);
    }
    endTransaction();
    return error;
  }

  @Override
  public void rollback() throws SQLException {
    checkTransaction("rollback");
    Lease open = transaction;
    if (open == null) {
      return;
    }
    writes.clear();
    try {
      open.connection.rollback();
    } catch (SQLException e) {
      if (Failures.isConnectionLost(e)) {
        // What was to be undone is undone: the server rolls back what loses its client.
        set.accuse(open.node);
        abandon();
        return;
      }
      throw e;
    }
    endTransaction();
  }

  @Override
  public void setAutoCommit(boolean autoCommit) throws SQLException {
    checkOpen();
    if (settings.autoCommit != autoCommit) {
      if (autoCommit) {
        commit();
      }
      settings.autoCommit = autoCommit;
      settings.changed();
    }
  }

  @Override
  Lease transactionLease() throws SQLException {
    if (settings.autoCommit) {
      throw new SQLException("There is no transaction: call setAutoCommit(false) first", "25P01");
    }
    Lease open = transaction;
    if (open == null) {
      open = lease(set.primary(RouteReason.TRANSACTION));
      transaction = open;
      open.use();
    }
    return open;
  }

  @Override
  @Nullable Lease heldLease() {
    return pinned != null
        ? pinned
        : transaction != null ? transaction : writer != null ? writer : reader;
  }

  @Override
  @Nullable Lease boundLease() {
    return pinned != null ? pinned : transaction;
  }

  @Override
  Lease pinnedLease(boolean spoils) throws SQLException {
    checkOpen();
    Lease lease = boundLease();
    if (lease == null) {
      lease = lease(set.primary(RouteReason.PINNED));
    }
    if (spoils) {
      lease.spoil();
      // Nobody tells what is done with the driver's own connection.
      if (!settings.autoCommit && transaction == null) {
        transaction = lease;
        lease.use();
      }
      if (!settings.autoCommit) {
        writes.addUnknown();
      }
    }
    pin(lease);
    return lease;
  }

  @Override
  <T> T briefly(Call0<T> call) throws SQLException {
    checkOpen();
    Lease held = heldLease();
    if (held != null) {
      return call.on(held.connection);
    }
    Lease lease = lease(set.primary(RouteReason.PINNED));
    lease.use();
    try {
      return call.on(lease.connection);
    } finally {
      done(lease);
    }
  }

  @Override
  public void close() throws SQLException {
    if (closed) {
      return;
    }
    closed = true;
    writes.clear();
    Lease first = reader;
    Lease second = writer;
    reader = null;
    writer = null;
    transaction = null;
    pinned = null;
    try {
      if (first != null) {
        first.release();
      }
    } finally {
      if (second != null) {
        second.release();
      }
    }
  }

  @Override
  RoutedConnection self() {
    return this;
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  @Override
  public boolean isValid(int seconds) throws SQLException {
    if (closed) {
      return false;
    }
    Lease held = heldLease();
    return held != null ? held.connection.isValid(seconds) : set.isAnswering();
  }

  private void checkTransaction(String what) throws SQLException {
    checkOpen();
    if (settings.autoCommit) {
      throw new SQLException(
          "Cannot %s: autocommit is on. Call setAutoCommit(false) first".formatted(what), "25P01");
    }
  }

  @Override
  void checkOpen() throws SQLException {
    if (closed) {
      throw new SQLException(
          "This connection is closed: take a new one from the ReplicaSet", "08003");
    }
  }
}
