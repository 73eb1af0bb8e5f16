package dev.aquifer.repository;

import dev.aquifer.cache.Caches;
import dev.aquifer.cache.CachingProxy;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.extension.Extensions;
import org.jdbi.v3.core.extension.HandleSupplier;
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
    jdbi.getConfig(Extensions.class).registerHandlerCustomizer(new WithoutTenant());
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
    return CachingProxy.of(type, jdbi.onDemand(type), caches, plan::tags, this::inTransaction);
  }

  /**
   * Whether what the thread calls now joins a transaction of its own: it is to see what that wrote,
   * which no cache may know of.
   */
  private boolean inTransaction() {
    HandleSupplier joined = jdbi.getHandleScope().get();
    return joined != null && joined.getHandle().isInTransaction();
  }
}
