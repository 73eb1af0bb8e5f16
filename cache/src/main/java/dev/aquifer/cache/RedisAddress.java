package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.cache.CacheHealth.Kind;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterURIUtil;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Where Redis is. Nothing that it shows names credentials.
 *
 * @param uris one; several first addresses of a cluster
 */
record RedisAddress(CacheHealth.Kind kind, List<RedisURI> uris) {
  private static final String CLUSTER = "redis-cluster://";
  private static final String CLUSTER_TLS = "rediss-cluster://";
  private static final String FORMS =
      "redis://user:password@host:6379/0, redis-sentinel://host1,host2/0#name or redis-cluster://host1,host2; with TLS rediss://, rediss-sentinel:// or rediss-cluster://";

  static RedisAddress read(String text, NodeSettings settings) {
    RedisAddress address = parsed(text);
    for (RedisURI uri : address.uris) {
      uri.setTimeout(settings.connectTimeout());
      if (uri.getClientName() == null) {
        uri.setClientName(clientName(System.getenv("HOSTNAME")));
      }
    }
    return address;
  }

  private static RedisAddress parsed(String text) {
    String start = text.strip().toLowerCase(Locale.ROOT);
    List<RedisURI> uris;
    Kind kind = Kind.CLUSTER;
    try {
      if (start.startsWith(CLUSTER)) {
        uris = nodes("redis://" + text.strip().substring(CLUSTER.length()));
      } else if (start.startsWith(CLUSTER_TLS)) {
        uris = nodes("rediss://" + text.strip().substring(CLUSTER_TLS.length()));
      } else {
        uris = List.of(RedisURI.create(text));
        kind = uris.get(0).getSentinels().isEmpty() ? Kind.STANDALONE : Kind.SENTINEL;
      }
    } catch (RuntimeException e) {
      // The text may hold a password, and so may the cause's message.
      throw new ConfigurationException("The address of Redis cannot be read. Use " + FORMS + ".");
    }
    if (kind == Kind.CLUSTER && uris.stream().anyMatch(uri -> uri.getDatabase() != 0)) {
      throw new ConfigurationException(
          "The address of a Redis Cluster names database %d; a cluster has database 0 alone."
              .formatted(uris.get(0).getDatabase()));
    }
    return new RedisAddress(kind, uris);
  }

  private static List<RedisURI> nodes(String text) {
    URI uri = URI.create(text);
    List<RedisURI> nodes = RedisClusterURIUtil.toRedisURIs(uri);
    String path = uri.getPath() == null ? "" : uri.getPath().replace("/", "");
    if (nodes.isEmpty()) {
      throw new IllegalArgumentException("no host");
    }
    if (!path.isEmpty()) {
      nodes.forEach(node -> node.setDatabase(Integer.parseInt(path)));
    }
    return nodes;
  }

  /** How Redis lists the connections: {@code aquifer-<host>-<process>}. */
  static String clientName(@org.jspecify.annotations.Nullable String host) {
    String named = host == null ? "" : host.replaceAll("[^A-Za-z0-9_.-]", "_") + "-";
    return "aquifer-" + named + ProcessHandle.current().pid();
  }

  int database() {
    return uris.get(0).getDatabase();
  }

  RedisURI first() {
    return uris.get(0);
  }

  @Override
  public String toString() {
    return switch (kind) {
      case STANDALONE -> "Redis at " + at(first());
      case SENTINEL ->
          first().getSentinels().stream()
              .map(RedisAddress::at)
              .collect(
                  Collectors.joining(
                      ", ",
                      "Redis '" + first().getSentinelMasterId() + "' of the sentinels at ",
                      ""));
      case NONE -> "No Redis";
      case CLUSTER ->
          uris.stream()
              .map(RedisAddress::at)
              .collect(Collectors.joining(", ", "The Redis Cluster at ", ""));
    };
  }

  private static String at(RedisURI uri) {
    return uri.getSocket() == null ? uri.getHost() + ":" + uri.getPort() : uri.getSocket();
  }
}
