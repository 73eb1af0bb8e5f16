package dev.aquifer.replica;

import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.sql.SqlStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
 */
final class RoutedConnection extends RoutedConnectionSurface {
  private final ReplicaSet set;
  private final Leases leases;
  private final ConnectionWrites writes;
  private final Execution execution;
  private volatile boolean closed;

  RoutedConnection(ReplicaSet set) {
    this.set = set;
    this.leases = new Leases(set, settings);
    this.writes = new ConnectionWrites(set);
    this.execution = new Execution(set, settings, leases, writes);
  }

  <S extends Statement, T extends @Nullable Object> T execute(
      RoutedStatement<S> statement, String sql, boolean mayReplica, Execution.Call<S, T> call)
      throws SQLException {
    checkOpen();
    return execution.execute(statement, set.analyze(sql), List.of(), mayReplica, call);
  }

  /** The same for a batch of several texts. */
  <S extends Statement, T> T executeAll(
      RoutedStatement<S> statement, List<SqlStatement> parsed, Execution.Call<S, T> call)
      throws SQLException {
    checkOpen();
    return execution.execute(
        statement, parsed.get(0), parsed.subList(1, parsed.size()), false, call);
  }

  <S extends Statement> S prepare(RoutedStatement<S> statement, String sql, boolean mayReplica)
      throws SQLException {
    checkOpen();
    return execution.prepare(statement, set.analyze(sql), mayReplica);
  }

  void writeRow(Lease lease, @Nullable SqlStatement query, Execution.RowWrite write)
      throws SQLException {
    checkOpen();
    execution.writeRow(lease, query, write);
  }

  /** A statement where one may be made, for what needs no execution. */
  <S extends Statement> S idle(RoutedStatement<S> statement) throws SQLException {
    Lease bound = leases.bound();
    return statement.attach(bound == null ? leases.of(set.primary(RouteReason.WRITE)) : bound);
  }

  /** Large objects are changed in transactions only. */
  void wroteLargeObject() {
    writes.addUnknown();
  }

  SqlStatement analyze(String sql) {
    return set.analyze(sql);
  }

  /** A statement is done with a lease. */
  void done(Lease lease) throws SQLException {
    leases.done(lease);
  }

  @Override
  public void commit() throws SQLException {
    checkTransaction("commit");
    Lease open = open();
    if (open == null) {
      return;
    }
    WriteSet announced = writes.commit();
    try {
      open.connection.commit();
    } catch (SQLException e) {
      throw commitFailed(open.node, announced, e);
    } catch (RuntimeException | Error e) {
      writes.uncertain(announced);
      throw e;
    }
    if (announced != null) {
      writes.committed(announced);
    }
    execution.endTransaction();
  }

  private SQLException commitFailed(Node node, @Nullable WriteSet announced, SQLException error)
      throws SQLException {
    if (Failures.isGivenUp(error)) {
      if (announced != null) {
        writes.rolledBack(announced);
      }
      execution.abandon();
      return Failures.transactionLost(node, error);
    }
    if (Failures.isConnectionLost(error)) {
      set.accuse(node);
      writes.uncertain(announced);
      execution.abandon();
      return Failures.unknownOutcome(node, error);
    }
    if (announced != null) {
      writes.rolledBack(announced);
    }
    execution.endTransaction();
    return error;
  }

  @Override
  public void rollback() throws SQLException {
    checkTransaction("rollback");
    Lease open = open();
    if (open == null) {
      return;
    }
    writes.clear();
    lookForUnseenEnd();
    try {
      open.connection.rollback();
    } catch (SQLException e) {
      if (Failures.isConnectionLost(e)) {
        // What was to be undone is undone: the server rolls back what loses its client.
        if (!Failures.isGivenUp(e)) {
          set.accuse(open.node);
        }
        execution.abandon();
        return;
      }
      throw e;
    }
    execution.endTransaction();
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
      Lease pinned = leases.pinned();
      if (writes.isUnwrapped() && pinned != null) {
        // The application holds the driver's own connection, which is to follow.
        pinned.prepare(settings);
        writes.called(execution.isInTransaction());
      }
    }
  }

  /** Where the transaction is that JDBC says is open; null when nothing was done in it. */
  private @Nullable Lease open() {
    Lease transaction = leases.transaction();
    return transaction == null && writes.isUnwrapped() ? leases.pinned() : transaction;
  }

  /** Whoever holds the driver's own connection may have committed on it. */
  private void lookForUnseenEnd() throws SQLException {
    Lease transaction = leases.transaction();
    if (transaction != null
        && writes.isUnwrapped()
        && (transaction.connection.isClosed() || !transaction.isInTransaction())) {
      writes.endedUnseen();
    }
  }

  @Override
  Lease transactionLease() throws SQLException {
    if (settings.autoCommit) {
      throw new SQLException("There is no transaction: call setAutoCommit(false) first", "25P01");
    }
    Lease open = leases.transaction();
    if (open == null) {
      open = leases.of(set.primary(RouteReason.TRANSACTION));
      leases.begin(open);
    }
    return open;
  }

  @Override
  @Nullable Lease heldLease() {
    return leases.held();
  }

  @Override
  @Nullable Lease boundLease() {
    return leases.bound();
  }

  @Override
  Lease pinnedLease() throws SQLException {
    checkOpen();
    Lease lease = leases.bound();
    if (lease == null) {
      lease = leases.of(set.primary(RouteReason.PINNED));
    }
    leases.pin(lease);
    return lease;
  }

  @Override
  void unwrapped(Lease lease) {
    if (lease.node.role == Role.REPLICA) {
      // It writes nothing.
      return;
    }
    lease.spoil();
    leases.pin(lease);
    if (!settings.autoCommit) {
      leases.begin(lease);
    }
    if (!writes.isUnwrapped()) {
      writes.unwrapped(execution.isInTransaction());
    }
  }

  @Override
  <T> T briefly(Call0<T> call) throws SQLException {
    checkOpen();
    Lease held = heldLease();
    if (held != null) {
      return call.on(held.connection);
    }
    Lease lease = leases.of(set.primary(RouteReason.PINNED));
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
    Lease pinned = leases.pinned();
    boolean lost = pinned != null && pinned.connection.isClosed();
    try {
      lookForUnseenEnd();
    } finally {
      try {
        leases.close();
      } finally {
        writes.closed(lost);
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
