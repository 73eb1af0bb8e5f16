package dev.aquifer.repository;

import dev.aquifer.TenantContext;
import java.lang.annotation.Annotation;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Method;
import org.jdbi.v3.sqlobject.customizer.SqlStatementCustomizer;
import org.jdbi.v3.sqlobject.customizer.SqlStatementCustomizerFactory;
import org.jdbi.v3.sqlobject.customizer.SqlStatementCustomizingAnnotation;

/**
 * Binds {@code :tenant} in every row of a {@code @SqlBatch}. Other statements have it bound without
 * this annotation; a batch has a set of bindings a row, which only an annotation reaches.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@SqlStatementCustomizingAnnotation(BindTenant.Factory.class)
public @interface BindTenant {

  /** Makes the binding. Called by Jdbi. */
  final class Factory implements SqlStatementCustomizerFactory {
    /** Called by Jdbi. */
    public Factory() {}

    @Override
    public SqlStatementCustomizer createForMethod(
        Annotation annotation, Class<?> type, Method method) {
      return statement -> statement.bind(TenantBinding.NAME, TenantContext.require().id());
    }
  }
}
