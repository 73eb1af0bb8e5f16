package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.cache.Cached;
import dev.aquifer.testkit.PostgresExtension;
import java.util.List;
import java.util.stream.Stream;
import org.jdbi.v3.sqlobject.customizer.BindList;
import org.jdbi.v3.sqlobject.customizer.BindMethods;
import org.jdbi.v3.sqlobject.customizer.Define;
import org.jdbi.v3.sqlobject.statement.SqlBatch;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A repository whose annotations contradict each other, or lack something, is refused when it is
 * made.
 */
class RepositoryPlanTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table flight (id bigint, tenant text, delay int)",
              "create function f(int) returns int language sql as 'select 1'",
              "create view opaque as select f(1) as id, 'x'::text as tenant");

  interface NoStatement {
    int count();
  }

  interface TwoStatements {
    @SqlQuery("select 1 where 'a' = :tenant")
    @SqlUpdate("delete from flight where tenant = :tenant")
    int count();
  }

  interface EmptyStatement {
    @SqlQuery
    int count();
  }

  interface NoTenant {
    @SqlQuery("select count(*) from flight")
    int count();
  }

  interface TenantInALiteralOnly {
    @SqlQuery("select count(*) from flight where tenant = ':tenant' /* :tenant */")
    int count();
  }

  interface TenantAndCrossTenant {
    @SqlQuery("select count(*) from flight where tenant = :tenant")
    @CrossTenant
    int count();
  }

  interface TenantParameter {
    @SqlQuery("select count(*) from flight where tenant = :tenant")
    int count(String tenant);
  }

  interface CachedAndCrossTenant {
    @SqlQuery("select count(*) from flight")
    @CrossTenant
    @Cached(ttl = "1m")
    int count();
  }

  interface CachedUpdate {
    @SqlUpdate("update flight set delay = 0 where tenant = :tenant")
    @Cached(ttl = "1m")
    int reset();
  }

  interface CachedWriteInDisguise {
    @SqlQuery(
        "with gone as (delete from flight where tenant = :tenant returning id) select count(*) from gone")
    @Cached(ttl = "1m")
    int count();
  }

  interface CachedFunction {
    @SqlQuery("select f(1) from flight where tenant = :tenant")
    @Cached(ttl = "1m")
    int count();
  }

  interface CachedOpaqueView {
    @SqlQuery("select count(*) from opaque where tenant = :tenant")
    @Cached(ttl = "1m")
    int count();
  }

  interface CachedDefault {
    @Cached(ttl = "1m")
    default int count() {
      return 1;
    }
  }

  interface Template {
    @SqlQuery("select count(*) from <table> where tenant = :tenant")
    int count(@Define String table);
  }

  interface ListTemplate {
    @SqlQuery("select count(*) from flight where tenant = :tenant and id in (<ids>)")
    int count(@BindList List<Long> ids);
  }

  interface BatchWithoutBindTenant {
    @SqlBatch("insert into flight (id, tenant) values (:id, :tenant)")
    void add(@BindMethods List<Row> rows);
  }

  interface BindTenantOnAQuery {
    @SqlQuery("select count(*) from flight where tenant = :tenant")
    @BindTenant
    int count();
  }

  record Row(long id) {}

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(NoStatement.class, "has no statement"),
        Arguments.of(TwoStatements.class, "2 statements"),
        Arguments.of(EmptyStatement.class, "empty statement"),
        Arguments.of(NoTenant.class, "does not use :tenant"),
        Arguments.of(TenantInALiteralOnly.class, "does not use :tenant"),
        Arguments.of(TenantAndCrossTenant.class, "Remove one of the two"),
        Arguments.of(TenantParameter.class, "a parameter named tenant"),
        Arguments.of(CachedAndCrossTenant.class, "@Cached and @CrossTenant"),
        Arguments.of(CachedUpdate.class, "is no @SqlQuery"),
        Arguments.of(CachedWriteInDisguise.class, "is not known"),
        Arguments.of(CachedFunction.class, "is not known"),
        Arguments.of(CachedOpaqueView.class, "the view opaque"),
        Arguments.of(CachedDefault.class, "has a body"),
        Arguments.of(Template.class, "@Define"),
        Arguments.of(ListTemplate.class, "@BindList"),
        Arguments.of(BatchWithoutBindTenant.class, "Add @BindTenant"),
        Arguments.of(BindTenantOnAQuery.class, "is no @SqlBatch"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void of_refusesAndNamesClassAndMethod(Class<?> type, String what) {
    assertThatThrownBy(() -> RepositoryPlan.of(type, POSTGRES.database().dataSource()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(what)
        .hasMessageContaining(type.getName() + "." + type.getMethods()[0].getName());
  }

  @Test
  void of_refusesAClass() {
    assertThatThrownBy(() -> RepositoryPlan.of(String.class, POSTGRES.database().dataSource()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("java.lang.String is not an interface");
  }

  interface Sound {
    @SqlQuery("select delay from flight f where f.tenant = :tenant and id = :id")
    @Cached(ttl = "1m")
    int delay(long id);

    @SqlQuery("select count(*) from flight")
    @CrossTenant
    int all();
  }

  @Test
  void of_cachedReadCarriesItsTablesAndTheTagOfAll() throws Exception {
    RepositoryPlan plan = RepositoryPlan.of(Sound.class, POSTGRES.database().dataSource());

    assertThat(plan.tags(Sound.class.getMethod("delay", long.class)))
        .containsExactlyInAnyOrder(Tag.table("flight"), Tag.ANY_TABLE);
    assertThat(RepositoryMethod.isCrossTenant(Sound.class.getMethod("all"))).isTrue();
    assertThat(RepositoryMethod.isCrossTenant(Sound.class.getMethod("delay", long.class)))
        .isFalse();
  }
}
