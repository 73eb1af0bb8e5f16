package dev.aquifer.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A primary with a replica, and three sentinels that replace the one by the other: real servers on
 * loopback, started for a test.
 *
 * <pre>{@code
 * try (RedisSentinels redis = RedisSentinels.start()) {
 *   RedisServer replica = redis.replica();
 *   redis.primary().kill();
 *   redis.awaitPrimary(replica);
 * }
 * }</pre>
 *
 * <p>Each of them is a {@link RedisServer} with all of its faults. Nothing is left behind when it
 * is closed, or when the JVM ends. Thread-safe.
 */
public final class RedisSentinels implements AutoCloseable {
  private static final int SENTINELS = 3;
  private static final String NAME = "main";
  private static final String QUORUM = "2";
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration SILENCE = Duration.ofSeconds(1);
  private static final Duration FAILOVER = Duration.ofSeconds(5);

  private final List<RedisServer> servers = new ArrayList<>();
  private final List<RedisServer> sentinels = new ArrayList<>();

  private RedisSentinels() {}

  /**
   * Starts all five. The replica is in step, and the sentinels know each other when this returns.
   *
   * @throws TestkitException one did not start
   */
  public static RedisSentinels start() {
    RedisSentinels made = new RedisSentinels();
    try {
      made.form();
      return made;
    } catch (RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  private void form() {
    RedisServer primary = data().start();
    servers.add(primary);
    String port = Integer.toString(primary.port());
    servers.add(data().setting("replicaof", primary.host() + " " + port).start());
    for (int i = 0; i < SENTINELS; i++) {
      sentinels.add(
          RedisServer.builder()
              .sentinel()
              .setting("sentinel", String.join(" ", "monitor", NAME, primary.host(), port, QUORUM))
              .setting("sentinel", "down-after-milliseconds " + NAME + " " + SILENCE.toMillis())
              .setting("sentinel", "failover-timeout " + NAME + " " + FAILOVER.toMillis())
              .start());
    }
    await(
        "in step",
        () ->
            servers.get(1).info("replication", "master_link_status").equals("up")
                && sentinels.stream()
                    .allMatch(
                        sentinel ->
                            said(sentinel, "num-other-sentinels").equals("2")
                                && said(sentinel, "num-slaves").equals("1")));
  }

  private static RedisServer.Builder data() {
    return RedisServer.builder()
        .setting("repl-diskless-sync", "yes")
        .setting("repl-diskless-sync-delay", "0");
  }

  /** {@code redis-sentinel://127.0.0.1:port,…/0#name} with the ports of the sentinels. */
  public String uri() {
    return sentinels.stream()
        .map(sentinel -> sentinel.host() + ":" + sentinel.port())
        .collect(Collectors.joining(",", "redis-sentinel://", "/0#" + NAME));
  }

  /** The server that the sentinels that run take for the primary. */
  public RedisServer primary() {
    RedisServer asked =
        sentinels.stream()
            .filter(RedisServer::isRunning)
            .findFirst()
            .orElseThrow(() -> new TestkitException("no sentinel runs"));
    return servers.stream()
        .filter(server -> said(asked, "port").equals(Integer.toString(server.port())))
        .findFirst()
        .orElseThrow(() -> new TestkitException("the sentinels know no primary of " + this));
  }

  /** The other server. */
  public RedisServer replica() {
    RedisServer primary = primary();
    return servers.get(servers.get(0) == primary ? 1 : 0);
  }

  /** The sentinels. */
  public List<RedisServer> sentinels() {
    return List.copyOf(sentinels);
  }

  /** Waits until all sentinels that run take this server for the primary, and it does so too. */
  public void awaitPrimary(RedisServer server) {
    await(
        server + " the primary",
        () ->
            server.info("replication", "role").equals("master")
                && sentinels.stream()
                    .filter(RedisServer::isRunning)
                    .allMatch(each -> said(each, "port").equals(Integer.toString(server.port()))));
  }

  private void await(String what, Callable<Boolean> condition) {
    try {
      Eventually.within(LIMIT).until(what, condition);
    } catch (AssertionError e) {
      throw new TestkitException(this + ": not " + what + " within " + LIMIT, e);
    }
  }

  /** One field of what a sentinel knows of the primary. */
  private static String said(RedisServer sentinel, String field) {
    Object all = sentinel.command("SENTINEL", "MASTER", NAME);
    List<?> fields = all instanceof List<?> list ? list : List.of();
    int at = fields.indexOf(field);
    return at < 0 || at % 2 != 0 ? "" : String.valueOf(fields.get(at + 1));
  }

  /** Kills all and deletes their files. Further calls do nothing. */
  @Override
  public void close() {
    Stream.concat(sentinels.stream(), servers.stream()).toList().forEach(RedisServer::close);
  }

  @Override
  public String toString() {
    return "Redis of the sentinels " + sentinels;
  }
}
