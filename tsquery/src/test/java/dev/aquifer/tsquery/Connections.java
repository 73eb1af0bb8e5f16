package dev.aquifer.tsquery;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** Connections that are kept open and handed out one after the other: the least of a pool. */
final class Connections implements AutoCloseable {
  private final DataSource from;
  private final LinkedBlockingQueue<Connection> idle = new LinkedBlockingQueue<>();
  private final AtomicInteger taken = new AtomicInteger();

  Connections(DataSource from) {
    this.from = from;
  }

  /** How often one was taken. */
  int taken() {
    return taken.get();
  }

  DataSource dataSource() {
    return (DataSource)
        Proxy.newProxyInstance(
            Connections.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, args) -> {
              if (method.getName().equals("getConnection")) {
                return take();
              }
              throw new UnsupportedOperationException(method.getName());
            });
  }

  private Connection take() throws SQLException {
    taken.incrementAndGet();
    Connection known = idle.poll();
    Connection real = known != null ? known : from.getConnection();
    return (Connection)
        Proxy.newProxyInstance(
            Connections.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, args) -> {
              if (method.getName().equals("close")) {
                idle.add(real);
                return null;
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Override
  public void close() throws SQLException {
    for (Connection connection : idle) {
      connection.close();
    }
  }
}
