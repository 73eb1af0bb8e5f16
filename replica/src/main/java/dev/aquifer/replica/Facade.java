package dev.aquifer.replica;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Objects of the driver that lead back to the routing connection, and not past it. */
final class Facade {
  private Facade() {}

  static DatabaseMetaData metaData(DatabaseMetaData real, RoutedConnection connection) {
    return (DatabaseMetaData)
        Proxy.newProxyInstance(
            Facade.class.getClassLoader(),
            new Class<?>[] {DatabaseMetaData.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getConnection" -> connection;
                  case "unwrap" -> unwrap(proxy, real, connection, (Class<?>) arguments[0]);
                  default -> {
                    Object value = called(method, real, arguments);
                    yield value instanceof ResultSet result
                        ? new RoutedResult(new PlainStatement(connection, Cursor.FORWARD), result)
                        : value;
                  }
                });
  }

  /** A large object that says so before it is changed. */
  static <T> T watched(Class<T> type, T real, Runnable changing) {
    return type.cast(
        Proxy.newProxyInstance(
            Facade.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              if (method.getName().startsWith("set") || method.getName().equals("truncate")) {
                changing.run();
              }
              return called(method, real, arguments);
            }));
  }

  private static Object unwrap(
      Object proxy, DatabaseMetaData real, RoutedConnection connection, Class<?> type)
      throws SQLException {
    if (type.isInstance(proxy)) {
      return proxy;
    }
    Object found = real.unwrap(type);
    connection.unwrapped(connection.pinnedLease());
    return found;
  }

  private static @Nullable Object called(
      Method method, Object target, @Nullable Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
