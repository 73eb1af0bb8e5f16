package dev.aquifer.repository;

import dev.aquifer.TenantContext;
import java.sql.PreparedStatement;
import org.jdbi.v3.core.statement.StatementContext;
import org.jdbi.v3.core.statement.StatementCustomizer;

/**
 * Binds {@code :tenant} from the context, last, so that no argument of the caller can take its
 * place.
 */
final class TenantBinding implements StatementCustomizer {
  static final String NAME = "tenant";

  @Override
  public void beforeBinding(PreparedStatement statement, StatementContext context) {
    if (context.getParsedSql().getParameters().getParameterNames().contains(NAME)) {
      context.getBinding().addNamed(NAME, TenantContext.require().id());
    }
  }
}
