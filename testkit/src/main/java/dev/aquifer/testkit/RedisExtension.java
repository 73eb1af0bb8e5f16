package dev.aquifer.testkit;

import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * JUnit extension: a numbered Redis database for each test class, on one server a JVM or on a
 * server of the class's own. Used by the annotation {@link RedisTest}, or registered as a static
 * field:
 *
 * <pre>{@code
 * @RegisterExtension
 * static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder().password("secret"));
 * }</pre>
 *
 * <p>Nested classes use the database of the class around them. The shared server ends with the test
 * run, a class's own server with the class.
 */
public final class RedisExtension implements BeforeAllCallback, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(RedisExtension.class);
  private static final int SHARED_DATABASES = 1024;

  private final RedisServer.@Nullable Builder own;
  private volatile @Nullable RedisDatabase database;

  /** The shared server, as the annotation {@link RedisTest} wants it. */
  public RedisExtension() {
    this(null);
  }

  private RedisExtension(RedisServer.@Nullable Builder own) {
    this.own = own;
  }

  /** A database on the server that all test classes of this JVM share. */
  public static RedisExtension shared() {
    return new RedisExtension();
  }

  /** A server for this class alone, which it may do to what it likes. */
  public static RedisExtension own(RedisServer.Builder server) {
    return new RedisExtension(server);
  }

  /** The class's database. */
  public RedisDatabase database() {
    RedisDatabase current = database;
    if (current == null) {
      throw new IllegalStateException(
          "no database yet: register the extension as a static field, and ask from a test on");
    }
    return current;
  }

  /** The server of the class's database. */
  public RedisServer server() {
    return database().server();
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    // A nested class finds the entry of the class around it.
    Entry entry = store.get(this, Entry.class);
    if (entry == null) {
      entry = own == null ? sharedEntry(context) : ownEntry(own);
      store.put(this, entry);
    }
    database = entry.database;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == RedisDatabase.class || type == RedisServer.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == RedisServer.class ? server() : database();
  }

  private static Entry ownEntry(RedisServer.Builder builder) {
    RedisServer server = builder.start();
    return new Entry(new RedisDatabase(server, 0), server::close);
  }

  private static Entry sharedEntry(ExtensionContext context) {
    return context
        .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
        .computeIfAbsent(Shared.class, key -> new Shared(), Shared.class)
        .newDatabase(context.getRequiredTestClass());
  }

  /** A class's database, with what ends it; closed by JUnit with the class's store. */
  private record Entry(RedisDatabase database, Runnable end) implements AutoCloseable {
    @Override
    public void close() {
      end.run();
    }
  }

  /** The server of the JVM; closed by JUnit with the test run. */
  private static final class Shared implements AutoCloseable {
    private final RedisServer server = RedisServer.builder().databases(SHARED_DATABASES).start();
    private final ReentrantLock lock = new ReentrantLock();
    private final BitSet used = new BitSet();

    Entry newDatabase(Class<?> testClass) {
      lock.lock();
      try {
        if (!server.isRunning() || server.isPaused()) {
          throw new TestkitException(
              "the shared Redis is down before "
                  + testClass.getName()
                  + ": an earlier test class did that to it; let that class take a server of its"
                  + " own, by RedisExtension.own(…)");
        }
        // 0 is where a client goes that was given no number: nobody's.
        int index = used.nextClearBit(1);
        RedisDatabase database = new RedisDatabase(server, index);
        database.flush();
        used.set(index);
        return new Entry(database, () -> free(database));
      } finally {
        lock.unlock();
      }
    }

    private void free(RedisDatabase database) {
      lock.lock();
      try {
        used.clear(database.index());
        if (server.isRunning() && !server.isPaused()) {
          database.flush();
        }
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      server.close();
    }
  }
}
