package dev.aquifer.testkit;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * JUnit extension: a database for each test class, on one cluster a JVM or on a cluster of the
 * class's own. Used by the annotation {@link PostgresTest}, or registered as a static field:
 *
 * <pre>{@code
 * @RegisterExtension
 * static final PostgresExtension POSTGRES =
 *     PostgresExtension.own(PostgresCluster.builder().standbys(2)).schema("CREATE TABLE …");
 * }</pre>
 *
 * <p>Nested classes use the database of the class around them. The shared cluster ends with the
 * test run, a class's own cluster with the class.
 */
public final class PostgresExtension implements BeforeAllCallback, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(PostgresExtension.class);
  private static final int MAX_NAME = 63;

  private final PostgresCluster.@Nullable Builder own;
  private final int standbys;
  private final List<String> schema;
  private volatile @Nullable TestDatabase database;

  /** The shared cluster, as the annotation {@link PostgresTest} wants it. */
  public PostgresExtension() {
    this(null, 0, List.of());
  }

  private PostgresExtension(
      PostgresCluster.@Nullable Builder own, int standbys, List<String> schema) {
    this.own = own;
    this.standbys = standbys;
    this.schema = schema;
  }

  /** A database on the cluster that all test classes of this JVM share. */
  public static PostgresExtension shared() {
    return new PostgresExtension();
  }

  /** A cluster for this class alone, which it may do to what it likes. */
  public static PostgresExtension own(PostgresCluster.Builder cluster) {
    return new PostgresExtension(cluster, 0, List.of());
  }

  /**
   * The same, needing that many standbys of the shared cluster, 0 to 3.
   *
   * @throws IllegalStateException the cluster is the class's own, whose builder says how many
   */
  public PostgresExtension standbys(int count) {
    if (own != null) {
      throw new IllegalStateException(
          "standbys(" + count + ") on a cluster of one's own: say it to the cluster's builder");
    }
    return new PostgresExtension(null, count, schema);
  }

  /** The same, running SQL in the new database before the first test. */
  public PostgresExtension schema(String... statements) {
    return new PostgresExtension(own, standbys, List.of(statements));
  }

  /** The class's database. */
  public TestDatabase database() {
    TestDatabase current = database;
    if (current == null) {
      throw new IllegalStateException(
          "no database yet: register the extension as a static field, and ask from a test on");
    }
    return current;
  }

  /** The cluster of the class's database. */
  public PostgresCluster cluster() {
    return database().cluster();
  }

  @Override
  public void beforeAll(ExtensionContext context) throws SQLException {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    // A nested class finds the entry of the class around it.
    Entry entry = store.get(this, Entry.class);
    if (entry == null) {
      entry = own == null ? sharedEntry(context) : ownEntry(own);
      store.put(this, entry);
      PostgresTest annotation = annotation(context);
      createSchema(entry.database, annotation == null ? schema : List.of(annotation.schema()));
    }
    database = entry.database;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == TestDatabase.class || type == PostgresCluster.class || type == DataSource.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    TestDatabase current = database();
    Class<?> type = parameter.getParameter().getType();
    if (type == TestDatabase.class) {
      return current;
    }
    return type == PostgresCluster.class ? current.cluster() : current.dataSource();
  }

  private Entry sharedEntry(ExtensionContext context) {
    PostgresTest annotation = annotation(context);
    Shared shared =
        context
            .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
            .computeIfAbsent(Shared.class, key -> new Shared(), Shared.class);
    return shared.newDatabase(
        context.getRequiredTestClass(), annotation == null ? standbys : annotation.standbys());
  }

  private static Entry ownEntry(PostgresCluster.Builder builder) {
    PostgresCluster cluster = builder.start();
    try {
      return new Entry(cluster.createDatabase("test"), cluster::close);
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  private static @Nullable PostgresTest annotation(ExtensionContext context) {
    return context.getRequiredTestClass().getAnnotation(PostgresTest.class);
  }

  private static void createSchema(TestDatabase database, List<String> statements)
      throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
    database.cluster().awaitCaughtUp(database.cluster().limit());
  }

  /** A class's database, with what ends it; closed by JUnit with the class's store. */
  private record Entry(TestDatabase database, Runnable end) implements AutoCloseable {
    @Override
    public void close() {
      end.run();
    }
  }

  /** The cluster of the JVM; closed by JUnit with the test run. */
  private static final class Shared implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicInteger count = new AtomicInteger();
    private @Nullable PostgresCluster cluster;

    Entry newDatabase(Class<?> testClass, int standbys) {
      lock.lock();
      try {
        if (cluster == null) {
          cluster = PostgresCluster.builder().standbys(standbys).start();
        }
        PostgresCluster current = cluster;
        requireHealthy(current, testClass);
        while (current.standbys() < standbys) {
          current.addStandby();
        }
        TestDatabase database = current.createDatabase(name(testClass));
        return new Entry(database, database::drop);
      } finally {
        lock.unlock();
      }
    }

    private String name(Class<?> testClass) {
      String simple = testClass.getSimpleName().toLowerCase(Locale.ROOT);
      String name = "t" + count.incrementAndGet() + "_" + simple.replaceAll("[^a-z0-9_]", "_");
      return name.substring(0, Math.min(name.length(), MAX_NAME));
    }

    private static void requireHealthy(PostgresCluster cluster, Class<?> testClass) {
      for (PostgresNode node : cluster.nodes()) {
        if (!node.isRunning() || node.isPaused()) {
          throw new TestkitException(
              node
                  + " of the shared cluster is down before "
                  + testClass.getName()
                  + ": an earlier test class did that to it; let that class take a cluster of its"
                  + " own, by PostgresExtension.own(…)");
        }
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        if (cluster != null) {
          cluster.close();
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
