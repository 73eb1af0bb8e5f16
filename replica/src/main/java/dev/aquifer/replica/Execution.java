package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.sql.Reason;
import dev.aquifer.sql.SqlStatement;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the statements of one connection: each where it may, with what it writes told, and what its
 * text did to the transaction and the session taken into account. Confined to the connection's
 * thread.
 *
 * <p>A read outside a transaction that failed before it delivered anything, because its node was
 * lost, or its replica cancelled it or refused it, is run again. Nothing else is ever run twice.
 */
final class Execution {
  /** What is done with a statement of the node that was chosen. */
  @FunctionalInterface
  interface Call<S extends Statement, T extends @Nullable Object> {
    T on(S physical) throws SQLException;
  }

  /** A row of a result is inserted, updated or deleted. */
  @FunctionalInterface
  interface RowWrite {
    void on() throws SQLException;
  }

  private final ReplicaSet set;
  private final ConnectionSettings settings;
  private final Leases leases;
  private final ConnectionWrites writes;

  /** A transaction that the application began by SQL, while JDBC says autocommit. */
  private boolean begun;

  Execution(ReplicaSet set, ConnectionSettings settings, Leases leases, ConnectionWrites writes) {
    this.set = set;
    this.settings = settings;
    this.leases = leases;
    this.writes = writes;
  }

  boolean isInTransaction() {
    return begun || !settings.autoCommit;
  }

  /**
   * Runs a statement where it belongs. {@code mayReplica} is false for calls that imply writing.
   */
  <S extends Statement, T extends @Nullable Object> T execute(
      RoutedStatement<S> statement,
      SqlStatement parsed,
      List<SqlStatement> more,
      boolean mayReplica,
      Call<S, T> call)
      throws SQLException {
    Route route = route(statement, parsed, mayReplica);
    boolean repeatable =
        settings.autoCommit
            && !begun
            && leases.pinned() == null
            && isRead(route.reason())
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

  /** Whether the statement may go to replicas, wherever it goes now. */
  private static boolean isRead(RouteReason reason) {
    return switch (reason) {
      case READ, FRESHNESS, NO_REPLICA, REPLICAS_BUSY, STRONG -> true;
      case WRITE, TRANSACTION, PINNED, RETRY -> false;
    };
  }

  /** A statement of the node that it would run on, without running it. */
  <S extends Statement> S prepare(
      RoutedStatement<S> statement, SqlStatement parsed, boolean mayReplica) throws SQLException {
    S attached = statement.attached();
    return attached != null
        ? attached
        : statement.attach(leases.of(route(statement, parsed, mayReplica)));
  }

  private Route route(RoutedStatement<?> statement, SqlStatement parsed, boolean mayReplica)
      throws SQLException {
    Lease pinned = leases.pinned();
    if (pinned != null) {
      return pinned.node.route(RouteReason.PINNED);
    }
    Lease transaction = leases.transaction();
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
    Lease held = leases.reader();
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
    Lease lease = leases.of(route);
    // Another one, if the node that was chosen went away meanwhile.
    Node node = lease.node;
    S physical;
    try {
      physical = statement.attach(lease);
    } catch (SQLException e) {
      throw failed(e, lease, false, true, null);
    }
    if (!settings.autoCommit) {
      leases.begin(lease);
    }
    set.routed(node == route.node() ? route : node.route(route.reason()));
    LastRoute.record(node.role);
    Position known = node.role == Role.REPLICA ? node.position : null;
    Object incarnation = node.incarnation;
    statement.executes(parsed);
    WriteSet announced = writes.before(parsed, more, isInTransaction());
    long started = System.nanoTime();
    T result;
    try {
      result = call.on(physical);
    } catch (SQLException e) {
      boolean whole = parsed.statements() == 1 && !parsed.writesUnknownTables() && more.isEmpty();
      throw failed(e, lease, parsed.endsTransaction(), whole, announced);
    } catch (RuntimeException | Error e) {
      writes.uncertain(announced);
      throw e;
    }
    long ended = System.nanoTime();
    node.responded(ended - started, ended);
    after(lease, parsed, more, announced);
    set.seen(known, incarnation, ended);
    return result;
  }

  private void after(
      Lease lease, SqlStatement parsed, List<SqlStatement> more, @Nullable WriteSet announced)
      throws SQLException {
    if (announced != null) {
      writes.committed(announced);
    }
    boolean shaped = parsed.beginsTransaction() || parsed.endsTransaction();
    boolean kept = parsed.changesSession();
    for (SqlStatement each : more) {
      shaped |= each.beginsTransaction() || each.endsTransaction();
      kept |= each.changesSession();
    }
    if (kept) {
      lease.spoil();
      leases.pin(lease);
    }
    if (shaped) {
      if (parsed.endsTransaction() && announced == null) {
        writes.clear();
      }
      shaped(lease);
      if (announced != null && (begun || leases.transaction() != null)) {
        writes.restore(announced);
      }
    }
    writes.called(isInTransaction());
  }

  /** BEGIN or COMMIT came as SQL: the driver knows what they led to. */
  private void shaped(Lease lease) throws SQLException {
    boolean open = lease.isInTransaction();
    if (settings.autoCommit) {
      begun = open;
      if (open) {
        lease.spoil();
        leases.pin(lease);
      }
    } else if (!open) {
      endTransaction();
    }
  }

  /**
   * @param ending whether it was to end the transaction
   * @param whole whether all of it was done, or nothing
   */
  private SQLException failed(
      SQLException error, Lease lease, boolean ending, boolean whole, @Nullable WriteSet announced)
      throws SQLException {
    Node node = lease.node;
    boolean lost = Failures.isConnectionLost(error);
    if (lost && !Failures.isGivenUp(error)) {
      set.accuse(node);
    }
    if (announced != null) {
      if (lost) {
        writes.uncertain(announced);
      } else if (!whole || error instanceof BatchUpdateException) {
        // Some of it may stand.
        writes.committed(announced);
      } else {
        writes.rolledBack(announced);
      }
    }
    if (lost && (begun || leases.transaction() != null)) {
      boolean committing = ending && announced != null;
      abandon();
      return committing
          ? Failures.unknownOutcome(node, error)
          : Failures.transactionLost(node, error);
    }
    if (lost) {
      leases.forget(lease);
    }
    return error;
  }

  /** Writes through a row of a result. */
  void writeRow(Lease lease, @Nullable SqlStatement query, RowWrite write) throws SQLException {
    WriteSet announced = writes.beforeRow(query, isInTransaction());
    try {
      write.on();
    } catch (SQLException e) {
      throw failed(e, lease, false, true, announced);
    } catch (RuntimeException | Error e) {
      writes.uncertain(announced);
      throw e;
    }
    if (announced != null) {
      writes.committed(announced);
    }
  }

  /** The transaction is over, with all that it wrote told or undone. */
  void endTransaction() throws SQLException {
    writes.clear();
    leases.end();
  }

  /** The transaction was lost with its connection. */
  void abandon() {
    begun = false;
    writes.clear();
    leases.abandon();
  }
}
