package dev.aquifer.replica;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;

/** Metadata of a server that names the routing connection as its own. */
final class Facade {
  private Facade() {}

  static DatabaseMetaData metaData(DatabaseMetaData real, Connection connection) {
    return (DatabaseMetaData)
        Proxy.newProxyInstance(
            Facade.class.getClassLoader(),
            new Class<?>[] {DatabaseMetaData.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("getConnection")) {
                return connection;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }
}
