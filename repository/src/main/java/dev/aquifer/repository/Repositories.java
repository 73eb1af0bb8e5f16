package dev.aquifer.repository;

import dev.aquifer.TenantContext;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.CachingProxy;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.SqlStatements;
import org.jdbi.v3.core.statement.TemplateEngine;
import org.jdbi.v3.sqlobject.SqlObjectPlugin;

/**
 * Makes repositories: Jdbi maps and binds, the plan says what each method depends on, the caching
 * proxy answers from the cache what it can.
 *
 * <p>Templates are off: a statement is sent as it is written in its annotation, so what was checked
 * and analysed is what runs.
 */
final class Repositories {
  private final DataSource database;
  private final Caches caches;
  private final Jdbi jdbi;

  Repositories(DataSource database, Caches caches) {
    this.database = database;
    this.caches = caches;
    this.jdbi = Jdbi.create(database).installPlugin(new SqlObjectPlugin());
    jdbi.registerRowMapper(new RecordMappers());
    jdbi.getConfig(SqlStatements.class)
        .setTemplateEngine(TemplateEngine.NOP)
        .addCustomizer(new TenantBinding());
  }

  /** For what annotated methods cannot say. */
  Jdbi jdbi() {
    return jdbi;
  }

  <T> T create(Class<T> type) {
    RepositoryPlan plan = RepositoryPlan.of(type, database);
    T statements = jdbi.onDemand(type);
    return CachingProxy.of(
        type, withoutTenantWhereMarked(type, statements, plan), caches, plan::tags);
  }

  /**
   * What is marked for all tenants must not be attributed to the one that happens to be current.
   */
  private static <T> T withoutTenantWhereMarked(Class<T> type, T statements, RepositoryPlan plan) {
    if (!plan.hasCrossTenant()) {
      return statements;
    }
    InvocationHandler handler =
        (proxy, method, arguments) ->
            plan.crossTenant(method)
                ? TenantContext.callWithout(() -> invoke(statements, method, arguments))
                : invoke(statements, method, arguments);
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private static Object invoke(Object target, Method method, Object[] arguments) throws Exception {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw e;
    }
  }
}
