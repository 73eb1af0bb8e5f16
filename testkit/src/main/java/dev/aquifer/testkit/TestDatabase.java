package dev.aquifer.testkit;

import java.util.List;
import javax.sql.DataSource;

/**
 * A database of a {@link PostgresCluster}, which exists on each of its nodes.
 *
 * @param cluster the servers that hold it
 * @param name its name
 */
public record TestDatabase(PostgresCluster cluster, String name) {
  /** The JDBC URL on the primary, without user and password. */
  public String url() {
    return cluster.primary().url(name);
  }

  /** The JDBC URL on a node. */
  public String url(PostgresNode node) {
    return node.url(name);
  }

  /** The JDBC URLs on the standbys, in their order. */
  public List<String> standbyUrls() {
    return cluster.nodes().stream().skip(1).map(node -> node.url(name)).toList();
  }

  /** The superuser: {@code aquifer}. */
  public String user() {
    return cluster.user();
  }

  /** The superuser's password. */
  public String password() {
    return cluster.password();
  }

  /** New, unpooled connections to the primary. */
  public DataSource dataSource() {
    return cluster.primary().dataSource(name);
  }

  /** New, unpooled connections to a node. */
  public DataSource dataSource(PostgresNode node) {
    return node.dataSource(name);
  }

  /** Drops it; connections to it are ended. */
  public void drop() {
    cluster.dropDatabase(name);
  }
}
