package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * A pooled connection in the hands of one {@link RoutedConnection}. It goes back when nobody uses
 * it any more: no statement with open results, no transaction, no pin. Confined to the thread of
 * that connection.
 */
final class Lease {
  final Node node;
  final Connection connection;
  private int users;
  private int settings;
  private int isolation = Connection.TRANSACTION_NONE;
  private @Nullable String schema;
  private boolean spoiled;
  private boolean released;

  private Lease(Node node, Connection connection) {
    this.node = node;
    this.connection = connection;
  }

  static Lease of(Node node) throws SQLException {
    node.inFlight.incrementAndGet();
    boolean leased = false;
    try {
      Lease lease = new Lease(node, node.pool.getConnection());
      leased = true;
      return lease;
    } finally {
      if (!leased) {
        node.inFlight.decrementAndGet();
      }
    }
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
      wanted.apply(connection);
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

  void release() throws SQLException {
    if (released) {
      return;
    }
    released = true;
    node.inFlight.decrementAndGet();
    if (spoiled) {
      node.pool.evict(connection);
    }
    connection.close();
  }
}
