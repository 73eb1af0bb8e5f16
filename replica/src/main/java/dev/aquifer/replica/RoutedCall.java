package dev.aquifer.replica;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * A call of a procedure or function: always on the primary, or where the transaction is. Its
 * parameters go straight to the statement there; executions are followed like any other.
 */
final class RoutedCall extends RoutedStatement<CallableStatement> implements InvocationHandler {
  private final String sql;
  private @Nullable CallableStatement shown;

  private RoutedCall(RoutedConnection connection, String sql, Cursor cursor) {
    super(connection, cursor);
    this.sql = sql;
  }

  static CallableStatement of(RoutedConnection connection, String sql, Cursor cursor) {
    RoutedCall call = new RoutedCall(connection, sql, cursor);
    CallableStatement shown =
        (CallableStatement)
            Proxy.newProxyInstance(
                RoutedCall.class.getClassLoader(), new Class<?>[] {CallableStatement.class}, call);
    call.shown = shown;
    return shown;
  }

  @Override
  CallableStatement create(Connection server) throws SQLException {
    return server.prepareCall(
        sql, cursor.type(), cursor.concurrency(), cursor.holdabilityOn(server));
  }

  @Override
  Statement shown() {
    return shown == null ? this : shown;
  }

  @Override
  public void addBatch(String text) throws SQLException {
    throw noOtherText();
  }

  @Override
  boolean mayReplica() {
    return false;
  }

  @Override
  public @Nullable Object invoke(
      Object proxy, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    Class<?> from = method.getDeclaringClass();
    if (from == Object.class) {
      return ofObject(proxy, method, arguments);
    }
    String name = method.getName();
    if (name.startsWith("execute") && (arguments == null || arguments.length == 0)) {
      checkOpen();
      return result(
          connection.<CallableStatement, @Nullable Object>execute(
              this, sql, false, server -> call(method, server, arguments)));
    }
    if (from.isAssignableFrom(Statement.class)) {
      return called(method, this, arguments);
    }
    checkOpen();
    return result(called(method, connection.prepare(this, sql, false), arguments));
  }

  /** Also a cursor that a parameter gives back. */
  private @Nullable Object result(@Nullable Object value) {
    return value instanceof ResultSet inner ? routed(inner) : value;
  }

  private static @Nullable Object ofObject(
      Object proxy, Method method, @Nullable Object @Nullable [] arguments) {
    return switch (method.getName()) {
      case "equals" -> arguments != null && proxy == arguments[0];
      case "hashCode" -> System.identityHashCode(proxy);
      default -> "RoutedCall@" + Integer.toHexString(System.identityHashCode(proxy));
    };
  }

  private static @Nullable Object call(
      Method method, Object target, @Nullable Object @Nullable [] arguments) throws SQLException {
    try {
      return called(method, target, arguments);
    } catch (SQLException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new SQLException("The call failed: " + e.getMessage(), e);
    }
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
