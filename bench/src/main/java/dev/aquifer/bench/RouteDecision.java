package dev.aquifer.bench;

import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.sql.SqlStatement;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A statement that was seen before: which node? That is finding its analysis, the session's demand,
 * and a choice among nodes. The floor is one look-up of the text in a map, which no router can do
 * without.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RouteDecision {
  /** The two steps as a routed statement takes them; neither is for users. */
  private static final MethodHandle ANALYZE = step("analyze", String.class);

  private static final MethodHandle READ = step("read");

  /** Aquifer. */
  @Benchmark
  public Object aquifer(KnownTables state, Statements statements) throws Throwable {
    SqlStatement known = (SqlStatement) (Object) ANALYZE.invokeExact(state.set, statements.sql);
    if (!known.mayUseReplica()) {
      throw new IllegalStateException("Not a read: " + known.explanation());
    }
    return (Object) READ.invokeExact(state.set);
  }

  /** A router whose database has the statement's tables. */
  @State(Scope.Benchmark)
  public static class KnownTables extends RoutedSource {
    @Override
    void startServers() {
      super.startServers();
      try (Connection connection = database.dataSource().getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute("CREATE TABLE airport (code text PRIMARY KEY, name text NOT NULL)");
        statement.execute(
            "CREATE TABLE flight (tenant text, day date, carrier text, origin text, delay int, cancelled boolean)");
        cluster.awaitCaughtUp(Duration.ofSeconds(10));
      } catch (SQLException e) {
        throw new IllegalStateException("The tables cannot be made", e);
      }
    }
  }

  /** One look-up. */
  @Benchmark
  public Object map(Floor state, Statements statements) {
    return state.known.get(statements.sql);
  }

  /** A map that knows the statement. */
  @State(Scope.Benchmark)
  public static class Floor {
    final ConcurrentHashMap<String, Object> known =
        new ConcurrentHashMap<>(java.util.Map.of(Statements.READ, new Object()));
  }

  private static MethodHandle step(String name, Class<?>... parameters) {
    try {
      Method method = ReplicaSet.class.getDeclaredMethod(name, parameters);
      MethodHandle handle =
          MethodHandles.privateLookupIn(ReplicaSet.class, MethodHandles.lookup()).unreflect(method);
      return handle.asType(handle.type().changeReturnType(Object.class));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("ReplicaSet has no step " + name, e);
    }
  }
}
