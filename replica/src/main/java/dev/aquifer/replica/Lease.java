package dev.aquifer.replica;

import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * A pooled connection in the hands of one {@link RoutedConnection}. It goes back when nobody uses
 * it any more: no statement with open results, no transaction, no pin. Confined to the thread of
 * that connection.
 */
final class Lease {
  final Node node;
  final Connection connection;
  private final boolean relieves;
  private int users;
  private int settings;
  private int isolation = Connection.TRANSACTION_NONE;
  private @Nullable String schema;

  /** The application's name that the pool gave, once it was changed. */
  private @Nullable String name;

  private @Nullable ConnectionSettings applied;
  private boolean spoiled;
  private boolean released;

  private Lease(Node node, Connection connection, boolean relieves) {
    this.node = node;
    this.connection = connection;
    this.relieves = relieves;
  }

  /**
   * A connection of the route's node; null when that was removed since it was chosen, is no longer
   * the primary that it was, was restarted, or helps others already as much as it may: then nothing
   * has been sent, and another node may be chosen.
   *
   * @param relieves whether the primary answers in the place of replicas, which is limited
   */
  static @Nullable Lease of(Route route, boolean relieves) throws SQLException {
    Node node = route.node();
    if (relieves && !admit(route)) {
      return null;
    }
    boolean primary = node.role == Role.PRIMARY;
    Object incarnation = node.incarnation;
    node.inFlight.incrementAndGet();
    boolean leased = false;
    try {
      // Whoever removes a node says so first and looks for leases second.
      if (!node.removed) {
        Connection connection = node.connection(route.reason());
        // Whoever fences a node says so first and cuts off second what is open: a connection that
        // was waited for meanwhile may lead to the old primary, back after its place was taken.
        if (isDeposed(node, primary)) {
          node.pool.evict(connection);
          connection.close();
        } else if (primary || isSameServer(node, incarnation, connection)) {
          leased = true;
          return new Lease(node, connection, relieves);
        } else {
          connection.close();
        }
      }
      return null;
    } catch (SQLException e) {
      if (isDeposed(node, primary)) {
        return null;
      }
      throw Failures.isPoolTimeout(e) && !node.isUsable() ? Failures.silent(node, e) : e;
    } finally {
      if (!leased) {
        node.inFlight.decrementAndGet();
        if (relieves) {
          node.relief.release();
        }
      }
    }
  }

  /**
   * Whether a connection leads to the server whose position is known: a replica that was restarted
   * may show less than before. So one that is younger than what is known waits for the next probe.
   */
  private static boolean isSameServer(Node node, Object incarnation, Connection connection)
      throws SQLException {
    return (node.pool.isOlder(connection, node.positionBegun)
            || node.monitor.awaitAnswer(System.nanoTime()))
        && node.incarnation == incarnation;
  }

  private static boolean isDeposed(Node node, boolean wasPrimary) {
    return node.fenced || (wasPrimary && node.role != Role.PRIMARY);
  }

  private static boolean admit(Route route) throws SQLException {
    Node node = route.node();
    if (route.reason() == RouteReason.REPLICAS_BUSY) {
      return node.relief.tryAcquire();
    }
    Duration limit = node.settings.pool().connectionTimeout();
    boolean admitted = false;
    try {
      admitted = node.relief.tryAcquire(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!admitted) {
      throw new SQLTransientConnectionException(
          "Replicas are out of use, and as many reads run on the primary %s in their place as primaryReads(…) allows; waited %s"
              .formatted(node, limit),
          "53300");
    }
    return true;
  }

  /** Brings the connection to the settings of its user. */
  void prepare(ConnectionSettings wanted) throws SQLException {
    if (settings != wanted.version()) {
      // These two ask the server, and one may not change within a transaction.
      if (wanted.isolation != Connection.TRANSACTION_NONE && wanted.isolation != isolation) {
        connection.setTransactionIsolation(wanted.isolation);
        isolation = wanted.isolation;
      }
      if (wanted.schema != null && !wanted.schema.equals(schema)) {
        connection.setSchema(wanted.schema);
        schema = wanted.schema;
      }
      if (wanted.clientProperties != null && name == null) {
        name = connection.getClientInfo(ConnectionSettings.APPLICATION_NAME);
      }
      wanted.apply(connection, node.pool);
      applied = wanted;
      settings = wanted.version();
    }
  }

  void use() {
    users++;
  }

  /** One user less. */
  void unuse() {
    users--;
  }

  boolean isUsed() {
    return users > 0;
  }

  /** Whether more than one uses it. */
  boolean isShared() {
    return users > 1;
  }

  boolean isReleased() {
    return released;
  }

  /** Its session holds what the next user must not see: it is closed instead of reused. */
  void spoil() {
    spoiled = true;
  }

  boolean isInTransaction() throws SQLException {
    return connection.unwrap(BaseConnection.class).getTransactionState() != TransactionState.IDLE;
  }

  /** Takes back what the pool does not know of, and the next user would inherit. */
  private void restore() {
    ConnectionSettings was = applied;
    if (was == null || spoiled) {
      return;
    }
    try {
      was.restore(connection);
      if (schema == null && name == null) {
        return;
      }
      if (!connection.getAutoCommit()) {
        connection.rollback();
        connection.setAutoCommit(true);
      }
      if (schema != null) {
        try (Statement statement = connection.createStatement()) {
          statement.execute("RESET search_path");
        }
      }
      if (name != null) {
        connection.setClientInfo(ConnectionSettings.APPLICATION_NAME, name);
      }
    } catch (SQLException e) {
      // Then nobody inherits it.
      spoiled = true;
    }
  }

  void release() throws SQLException {
    if (released) {
      return;
    }
    released = true;
    node.inFlight.decrementAndGet();
    if (relieves) {
      node.relief.release();
    }
    restore();
    if (spoiled) {
      node.pool.evict(connection);
    } else {
      connection.close();
    }
  }
}
