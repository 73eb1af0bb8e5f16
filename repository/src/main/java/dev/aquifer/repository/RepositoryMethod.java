package dev.aquifer.repository;

import dev.aquifer.ConfigurationException;
import dev.aquifer.cache.Cached;
import dev.aquifer.sql.SqlStatement;
import dev.aquifer.sql.StatementKind;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jdbi.v3.sqlobject.customizer.BindBeanList;
import org.jdbi.v3.sqlobject.customizer.BindList;
import org.jdbi.v3.sqlobject.customizer.BindMethodsList;
import org.jdbi.v3.sqlobject.customizer.Define;
import org.jdbi.v3.sqlobject.customizer.DefineList;
import org.jdbi.v3.sqlobject.statement.SqlBatch;
import org.jdbi.v3.sqlobject.statement.SqlCall;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlScript;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;

/**
 * One abstract method of a repository: its statement, read and checked once, when the repository is
 * made. What contradicts itself or cannot be shown to be confined to the tenant is refused there,
 * with the names of class and method.
 */
final class RepositoryMethod {
  /** These write SQL at run time, where it can be neither checked nor analysed. */
  private static final List<Class<? extends Annotation>> TEMPLATES =
      List.of(
          Define.class,
          DefineList.class,
          BindList.class,
          BindBeanList.class,
          BindMethodsList.class);

  private final Method method;
  private final SqlStatement statement;
  private final boolean crossTenant;

  private RepositoryMethod(Method method, SqlStatement statement, boolean crossTenant) {
    this.method = method;
    this.statement = statement;
    this.crossTenant = crossTenant;
  }

  static RepositoryMethod of(Method method) {
    String sql = sql(method);
    RepositoryMethod checked =
        new RepositoryMethod(method, SqlStatement.analyze(sql), isCrossTenant(method));
    checked.checkParameters();
    checked.checkTenant();
    if (method.isAnnotationPresent(Cached.class)) {
      checked.checkCached();
    }
    return checked;
  }

  Method method() {
    return method;
  }

  static boolean isCrossTenant(Method method) {
    return method.isAnnotationPresent(CrossTenant.class)
        || method.getDeclaringClass().isAnnotationPresent(CrossTenant.class);
  }

  boolean cached() {
    return method.isAnnotationPresent(Cached.class);
  }

  /** The tables that the statement names, without schema. */
  Set<String> tablesRead() {
    return statement.tablesRead().stream()
        .map(table -> table.name())
        .collect(java.util.stream.Collectors.toUnmodifiableSet());
  }

  private static String sql(Method method) {
    List<String> found = new ArrayList<>();
    add(found, method.getAnnotation(SqlQuery.class), SqlQuery::value);
    add(found, method.getAnnotation(SqlUpdate.class), SqlUpdate::value);
    add(found, method.getAnnotation(SqlBatch.class), SqlBatch::value);
    add(found, method.getAnnotation(SqlCall.class), SqlCall::value);
    add(found, method.getAnnotation(SqlScript.class), SqlScript::value);
    if (found.size() != 1) {
      throw refused(
          method,
          found.isEmpty()
              ? "has no statement. Annotate it with @SqlQuery, @SqlUpdate, @SqlBatch or @SqlCall, or give it a default body"
              : "has %d statements. Keep one of the @Sql… annotations".formatted(found.size()));
    }
    if (found.get(0).isBlank()) {
      throw refused(
          method,
          "has an empty statement. Write the SQL into the annotation, where it can be checked");
    }
    return found.get(0);
  }

  private static <A extends Annotation> void add(
      List<String> found,
      @org.jspecify.annotations.Nullable A annotation,
      java.util.function.Function<A, String> value) {
    if (annotation != null) {
      found.add(value.apply(annotation));
    }
  }

  private void checkParameters() {
    for (Parameter parameter : method.getParameters()) {
      for (Class<? extends Annotation> template : TEMPLATES) {
        if (parameter.isAnnotationPresent(template)) {
          throw refused(
              method,
              "uses @%s, which writes SQL at run time. Bind the value instead; a list goes into = any(:ids) as an array"
                  .formatted(template.getSimpleName()));
        }
      }
      if (parameter.getName().equals(TenantBinding.NAME)
          && statement.parameters().contains(TenantBinding.NAME)) {
        throw refused(
            method,
            "has a parameter named tenant. :tenant is bound from the context; remove the parameter");
      }
    }
  }

  private void checkTenant() {
    boolean bound = statement.parameters().contains(TenantBinding.NAME);
    if (crossTenant && bound) {
      throw refused(method, "is @CrossTenant and uses :tenant. Remove one of the two");
    }
    if (!crossTenant && !bound) {
      throw refused(
          method,
          "does not use :tenant. Confine the statement to the tenant (… where tenant = :tenant), or mark it @CrossTenant if"
              + " it really is for all tenants");
    }
    boolean batch = method.isAnnotationPresent(SqlBatch.class);
    boolean bindTenant = method.isAnnotationPresent(BindTenant.class);
    if (batch && bound && !bindTenant) {
      throw refused(
          method, "is a batch that uses :tenant. Add @BindTenant, which binds it in every row");
    }
    if (bindTenant && !batch) {
      throw refused(
          method, "has @BindTenant but is no @SqlBatch. Remove it: :tenant is bound by itself");
    }
  }

  private void checkCached() {
    if (crossTenant) {
      throw refused(
          method,
          "is @Cached and @CrossTenant. Cached values belong to a tenant; remove one of the two");
    }
    if (!method.isAnnotationPresent(SqlQuery.class)) {
      throw refused(method, "is @Cached but is no @SqlQuery. Only what reads can be cached");
    }
    boolean reads =
        statement.kind() == StatementKind.READ
            && !statement.writes()
            && !statement.writesUnknownTables();
    if (!reads || statement.readsUnknownTables()) {
      throw refused(
          method,
          "is @Cached, but what its statement reads, or that it only reads, is not known: %s. Remove @Cached, or the call"
              .formatted(statement.explanation()));
    }
  }

  static ConfigurationException refused(Method method, String what) {
    return new ConfigurationException(
        "%s.%s %s.".formatted(method.getDeclaringClass().getName(), method.getName(), what));
  }
}
