package dev.aquifer.testkit;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * JUnit extension: an InfluxDB database for each test class, on the server that {@link
 * InfluxServer#find} finds, one a JVM. Used by the annotation {@link InfluxTest}, or registered as
 * a static field:
 *
 * <pre>{@code
 * @RegisterExtension static final InfluxExtension INFLUX = new InfluxExtension();
 * }</pre>
 *
 * <p>Where there is none, the class is skipped with the reason. Nested classes use the database of
 * the class around them.
 */
public final class InfluxExtension implements BeforeAllCallback, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(InfluxExtension.class);

  private volatile @Nullable InfluxDatabase database;

  /** The shared server. */
  public InfluxExtension() {}

  /** The class's database. */
  public InfluxDatabase database() {
    InfluxDatabase current = database;
    if (current == null) {
      throw new IllegalStateException(
          "no database yet: register the extension as a static field, and ask from a test on");
    }
    return current;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    // A nested class finds the entry of the class around it.
    Entry entry = store.get(this, Entry.class);
    if (entry == null) {
      Shared shared =
          context
              .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
              .computeIfAbsent(Shared.class, key -> new Shared(InfluxSearch.here()), Shared.class);
      entry = shared.newDatabase(context.getRequiredTestClass());
      store.put(this, entry);
    }
    database = entry.database;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == InfluxDatabase.class || type == InfluxServer.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    InfluxDatabase current = database();
    return parameter.getParameter().getType() == InfluxServer.class ? current.server() : current;
  }

  /** A class's database; closed by JUnit with the class's store. */
  record Entry(InfluxDatabase database) implements AutoCloseable {
    @Override
    public void close() {
      database.drop();
    }
  }

  /** The server of the JVM, or why there is none; closed by JUnit with the test run. */
  static final class Shared implements AutoCloseable {
    private final InfluxSearch.Found found;
    private final AtomicInteger count = new AtomicInteger();

    Shared(InfluxSearch search) {
      this.found = search.find();
    }

    Entry newDatabase(Class<?> testClass) {
      if (found.server().isEmpty()) {
        Assumptions.abort(found.reason());
      }
      String simple = testClass.getSimpleName().replaceAll("[^A-Za-z0-9_]", "_");
      String name = "t" + count.incrementAndGet() + "_" + simple;
      return new Entry(
          found
              .server()
              .orElseThrow()
              .createDatabase(name.substring(0, Math.min(64, name.length()))));
    }

    @Override
    public void close() {
      found.server().ifPresent(InfluxServer::close);
    }
  }
}
