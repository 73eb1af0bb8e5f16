package dev.aquifer.testkit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Finds what code under test left behind: threads, database connections, locks, Redis connections.
 * It looks before and after, and what is new afterwards is a leak. Around a block:
 *
 * <pre>{@code
 * LeakCheck.of().threads("aquifer-").database(database).around(() -> open().close());
 * }</pre>
 *
 * <p>or around each test of a class:
 *
 * <pre>{@code
 * @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");
 * }</pre>
 *
 * <p>What ends a little later, as threads and server processes do, is given 5 s. Immutable.
 */
public final class LeakCheck implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(LeakCheck.class);

  /** Backends of clients with what they hold, one row a connection and one a lock. */
  private static final String HELD =
      """
      SELECT 'connection of process ' || pid || ' (' || coalesce(application_name, '') || ')'
        FROM pg_stat_activity
       WHERE datname = ? AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      UNION ALL
      SELECT l.locktype || ' lock ' || l.mode || ' of process ' || l.pid
             || coalesce(' on ' || c.relname, '')
        FROM pg_locks l
        JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = ?
        LEFT JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm')
       WHERE l.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
         AND l.locktype IN ('relation', 'advisory', 'tuple', 'object')
      """;

  private final List<Source> sources;
  private final Duration limit;

  private LeakCheck(List<Source> sources, Duration limit) {
    this.sources = List.copyOf(sources);
    this.limit = limit;
  }

  /** A check of nothing yet. */
  public static LeakCheck of() {
    return new LeakCheck(List.of(), Duration.ofSeconds(5));
  }

  /** Also checks live threads whose name begins with {@code prefix}. */
  public LeakCheck threads(String prefix) {
    return with(() -> threadsNamed(prefix));
  }

  /** Also checks clients' connections to a database, on every running node, and their locks. */
  public LeakCheck database(TestDatabase database) {
    return with(() -> held(database));
  }

  /** Also checks the number of clients connected to a Redis server. */
  public LeakCheck redis(RedisServer server) {
    return with(
        () -> {
          Map<Object, String> found = new LinkedHashMap<>();
          for (int i = 0; i < server.connections(); i++) {
            found.put("redis " + server.port() + " " + i, "a connection to " + server);
          }
          return found;
        });
  }

  /** How long things may take to go: 5 s by default. */
  public LeakCheck limit(Duration limit) {
    return new LeakCheck(sources, limit);
  }

  /**
   * Runs a block and checks what it left behind.
   *
   * @throws AssertionError something is left after the limit; the message lists it
   * @throws E the block threw it; then nothing is checked
   */
  public <E extends Exception> void around(Block<E> block) throws E {
    Watch watch = start();
    block.run();
    watch.close();
  }

  /** Looks at what is there before, and checks against it when closed. */
  public Watch start() {
    return new Watch(this, snapshot().keySet());
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(NAMESPACE).put(this, start());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Watch watch = context.getStore(NAMESPACE).remove(this, Watch.class);
    if (watch != null) {
      watch.close();
    }
  }

  private LeakCheck with(Source source) {
    List<Source> all = new ArrayList<>(sources);
    all.add(source);
    return new LeakCheck(all, limit);
  }

  private Map<Object, String> snapshot() {
    Map<Object, String> all = new LinkedHashMap<>();
    for (Source source : sources) {
      try {
        all.putAll(source.look());
      } catch (SQLException e) {
        throw new TestkitException("cannot look for leaks: " + e.getMessage(), e);
      }
    }
    return all;
  }

  private static Map<Object, String> threadsNamed(String prefix) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith(prefix) && thread.isAlive())
        .collect(Collectors.toMap(thread -> thread, thread -> "thread " + thread.getName()));
  }

  private static Map<Object, String> held(TestDatabase database) throws SQLException {
    Map<Object, String> found = new LinkedHashMap<>();
    for (PostgresNode node : database.cluster().nodes()) {
      if (node.isRunning() && !node.isPaused()) {
        try (Connection connection = database.dataSource(node).getConnection();
            PreparedStatement statement = connection.prepareStatement(HELD)) {
          statement.setString(1, database.name());
          statement.setString(2, database.name());
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
              String what = node.name() + ": " + rows.getString(1);
              found.put(what, what);
            }
          }
        }
      }
    }
    return found;
  }

  /** Things that are there now, by identity, with a description each. */
  @FunctionalInterface
  private interface Source {
    Map<Object, String> look() throws SQLException;
  }

  /**
   * Code under test.
   *
   * @param <E> what it may throw
   */
  @FunctionalInterface
  public interface Block<E extends Exception> {
    /** Does something and closes what it opened. */
    void run() throws E;
  }

  /** A check under way. */
  public static final class Watch implements AutoCloseable {
    private final LeakCheck check;
    private final Set<Object> before;

    private Watch(LeakCheck check, Set<Object> before) {
      this.check = check;
      this.before = before;
    }

    /**
     * Waits until nothing is left that was not there before.
     *
     * @throws AssertionError something still is after the limit; the message lists it
     */
    @Override
    public void close() {
      Set<String> leaks = new LinkedHashSet<>();
      try {
        Eventually.within(check.limit)
            .until(
                "nothing left behind",
                () -> {
                  leaks.clear();
                  Map<Object, String> after = check.snapshot();
                  after.keySet().removeAll(before);
                  leaks.addAll(after.values());
                  return leaks.isEmpty();
                });
      } catch (AssertionError e) {
        throw new AssertionError(
            "left behind after " + check.limit + ":\n  " + String.join("\n  ", leaks), e);
      }
    }
  }
}
