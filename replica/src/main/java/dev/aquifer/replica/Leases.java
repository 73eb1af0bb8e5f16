package dev.aquifer.replica;

import dev.aquifer.spi.Observer.Role;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The server connections that one {@link RoutedConnection} holds: at most one of a replica and one
 * of the primary, so that callers cannot starve each other of a second one. Confined to the
 * connection's thread.
 */
final class Leases {
  private final ReplicaSet set;
  private final ConnectionSettings settings;
  private @Nullable Lease reader;
  private @Nullable Lease writer;
  private @Nullable Lease transaction;
  private @Nullable Lease pinned;

  Leases(ReplicaSet set, ConnectionSettings settings) {
    this.set = set;
    this.settings = settings;
  }

  @Nullable Lease reader() {
    return reader;
  }

  /** Where the open transaction is. */
  @Nullable Lease transaction() {
    return transaction;
  }

  /** What stays until the routed connection is closed. */
  @Nullable Lease pinned() {
    return pinned;
  }

  /** What all statements must use now. */
  @Nullable Lease bound() {
    return pinned != null ? pinned : transaction;
  }

  /** Some lease held now. */
  @Nullable Lease held() {
    Lease bound = bound();
    return bound != null ? bound : writer != null ? writer : reader;
  }

  /** A connection of the route's node: one already held, or a new one. */
  Lease of(Route chosen) throws SQLException {
    Route route = chosen;
    Lease found = find(route);
    while (found == null) {
      route = set.again(route);
      found = find(route);
    }
    return found;
  }

  private @Nullable Lease find(Route route) throws SQLException {
    Node node = route.node();
    Lease held = bound();
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
      Lease leased = Lease.of(route, set.relieves(route));
      if (leased != null && route.node().role == Role.REPLICA && !set.shows(route.node())) {
        // It was chosen for what it showed before it was restarted.
        leased.release();
        return null;
      }
      return leased;
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

  /** A transaction begins there, unless one is open. */
  void begin(Lease lease) {
    if (transaction == null) {
      transaction = lease;
      lease.use();
    }
  }

  void end() throws SQLException {
    Lease ended = transaction;
    transaction = null;
    if (ended != null) {
      done(ended);
    }
  }

  void pin(Lease lease) {
    if (pinned == null) {
      pinned = lease;
      lease.use();
    }
  }

  /** A user is done with a lease. */
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

  /**
   * The transaction is gone with its connection. A pinned one stays pinned to what is lost: later
   * statements fail too, instead of running where the session's state is missing.
   */
  void abandon() {
    Lease lost = transaction;
    transaction = null;
    if (lost != null) {
      forget(lost);
    }
  }

  /** Gives up a connection that is lost, unless all is pinned to it. */
  void forget(Lease lost) {
    if (pinned != null) {
      return;
    }
    lost.spoil();
    try {
      release(lost);
    } catch (SQLException e) {
      // It is lost already; the caller hears of that.
      return;
    }
  }

  void close() throws SQLException {
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
}
