package dev.aquifer.sql;

import static dev.aquifer.sql.SqlStatement.analyze;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.sql.FunctionCatalog.Effect;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SqlStatementTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          select 1                                          | READ        | SELECT
          (values (1))                                      | READ        | VALUES
          with x as (select 1) insert into t select 1       | WRITE       | INSERT
          with x as (delete from t returning 1) select 1    | WRITE       | SELECT
          with x as (select 1) (table x)                    | READ        | TABLE
          explain select 1                                  | READ        | EXPLAIN
          copy t to stdout                                  | READ        | COPY
          merge into t using s on true when matched then delete | WRITE   | MERGE
          create table t (a int)                            | DDL         | CREATE
          begin                                             | TRANSACTION | BEGIN
          set a = 1                                         | SESSION     | SET
          show a                                            | UTILITY     | SHOW
          call f()                                          | WRITE       | CALL
          select 1; update t set a = 1                      | WRITE       | SELECT
          begin; select 1                                   | TRANSACTION | BEGIN
          frobnicate                                        | UNKNOWN     | ''
          select '                                          | UNKNOWN     | SELECT
          ;                                                 | EMPTY       | ''
          """)
  void kindAndVerb_areThoseOfTheStatement(String sql, StatementKind kind, String verb) {
    SqlStatement statement = analyze(sql);
    assertThat(statement.kind()).isEqualTo(kind);
    assertThat(statement.verb()).isEqualTo(verb);
  }

  @ParameterizedTest
  @CsvSource({
    "begin, true, false",
    "start transaction read only, true, false",
    "commit, false, true",
    "end work, false, true",
    "rollback, false, true",
    "abort, false, true",
    "rollback to savepoint s, false, false",
    "rollback work to s, false, false",
    "savepoint s, false, false",
    "release s, false, false",
    "commit and chain, true, true",
    "rollback and chain, true, true",
    "commit and no chain, false, true",
    "prepare transaction 'x', false, true",
    "commit prepared 'x', false, false",
    "rollback prepared 'x', false, false",
    "begin; update t set a = 1; commit, true, true",
    "set transaction read only, false, false",
    "select 1, false, false"
  })
  void transactionBoundaries_areTold(String sql, boolean begins, boolean ends) {
    SqlStatement statement = analyze(sql);
    assertThat(statement.beginsTransaction()).isEqualTo(begins);
    assertThat(statement.endsTransaction()).isEqualTo(ends);
  }

  @Test
  void parameters_areJdbisNamesAlone() {
    assertThat(
            analyze(
                    "select a::int, b[1:2], ':no', \":no\", $$ :no $$, /* :no */ c from t -- :no\n"
                        + "where tenant = :tenant and d = :bean.id and e = :tenant and f(x := 1)")
                .parameters())
        .containsExactly("tenant", "bean.id");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          select lower(a), count(*), nextval('s') from t         | false
          select * from t, generate_series(1, 2)                 | false
          update t set a = lower(b)                              | false
          select f(1)                                            | true
          select * from app.f(1)                                 | true
          select public.lower(a) from t                          | true
          select query_to_xml('table t', true, true, '')         | true
          insert into t select f(a) from u                       | true
          call p()                                               | true
          execute p                                              | true
          create table t (a int)                                 | true
          frobnicate                                             | true
          """)
  void readsUnknownTables_whereAFunctionOfTheUsersMayRead(String sql, boolean expected) {
    assertThat(analyze(sql, new ServerCatalog()).readsUnknownTables()).isEqualTo(expected);
  }

  @Test
  void functions_areThoseCalledByName() {
    assertThat(
            analyze(
                    "select Lower(a), app.F(b), coalesce(c, \"G\"(d)), count(*) over (w) from h(1), t (x)")
                .functions())
        .containsExactly("lower", "app.f", "G", "count", "h", "t");
  }

  @Test
  void statements_areCounted() {
    assertThat(analyze("").statements()).isZero();
    assertThat(analyze("select 1").statements()).isOne();
    assertThat(analyze("select 1;; select 2; ").statements()).isEqualTo(2);
    assertThat(analyze("create function f() begin atomic; select 1; select 2; end").statements())
        .isOne();
  }

  @Test
  void explanation_namesTheThingButNoLiteral() {
    assertThat(analyze("select nextval('secret')").explanation())
        .contains("nextval")
        .doesNotContain("secret");
    assertThat(analyze("update app.t set a = 'secret'").explanation())
        .isEqualTo("it writes: app.t");
    assertThat(analyze("select 'secret' 'secret' from where").toString()).doesNotContain("secret");
    assertThat(analyze("select * from 'secret'").explanation()).doesNotContain("secret");
    assertThat(analyze("select 'secret").toString()).doesNotContain("secret");
  }

  @Test
  void sets_cannotBeChanged() {
    SqlStatement statement = analyze("select lower(a) from t where b = :b");
    assertThatThrownBy(() -> statement.tablesRead().clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> statement.functions().clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> statement.parameters().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  /**
   * A server's own catalogue: knows one function, and distrusts one of each other sort of thing.
   */
  private static final class ServerCatalog implements FunctionCatalog {
    @Override
    public Effect function(@Nullable String schema, String name) {
      return name.equals("f") ? Effect.HARMLESS : FunctionCatalog.builtIn().function(schema, name);
    }

    @Override
    public Effect relation(TableName relation) {
      return relation.name().equals("writing_view") ? Effect.UNKNOWN : Effect.HARMLESS;
    }

    @Override
    public boolean isPlainOperator(String symbol) {
      return !symbol.equals("<+>");
    }

    @Override
    public boolean isPlainType(@Nullable String schema, String name) {
      return !name.equals("odd");
    }

    @Override
    public Effect attribute(String name) {
      return name.equals("bump") ? Effect.UNKNOWN : Effect.HARMLESS;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          select f(1), app.f(2)                    | NONE
          select g(1)                              | UNKNOWN_FUNCTION
          select nextval('s')                      | PRIMARY_FUNCTION
          select * from writing_view               | RELATION
          select * from t where a in (table app.writing_view) | RELATION
          with writing_view as (select 1) table writing_view | NONE
          select a <+> b                           | OPERATOR
          select a operator(pg_catalog.<+>) b      | OPERATOR
          select a <~~> b                          | NONE
          select a::odd                            | TYPE
          select a::app.odd[]                      | TYPE
          select cast(a as odd)                    | TYPE
          select odd 'x'                           | TYPE
          select a::int, cast(b as app.mood)       | NONE
          select t.bump from t                     | ATTRIBUTE
          select (t).bump from t                   | ATTRIBUTE
          select (array[t])[1].bump from t         | ATTRIBUTE
          select bump, t.other from t              | NONE
          """)
  void catalog_isAskedAboutEverythingThatMayHideACall(String sql, Reason reason) {
    assertThat(analyze(sql, new ServerCatalog()).reason()).isEqualTo(reason);
  }

  @Test
  void writesUnknownTables_whereAViewOfTheUsersIsNotPlain() {
    ServerCatalog catalog = new ServerCatalog();
    assertThat(analyze("select * from writing_view", catalog).writesUnknownTables()).isTrue();
    assertThat(analyze("select * from t", catalog).writesUnknownTables()).isFalse();
    assertThat(analyze("select * from pg_locks").writesUnknownTables()).isFalse();
  }

  @Test
  void catalog_thatThrows_isTakenToHaveAnsweredWithTheWorst() {
    FunctionCatalog broken =
        new FunctionCatalog() {
          @Override
          public Effect function(@Nullable String schema, String name) {
            throw new IllegalStateException("broken");
          }

          @Override
          public Effect relation(TableName relation) {
            throw new IllegalStateException("broken");
          }
        };
    assertThat(analyze("select lower(a)", broken).reason()).isEqualTo(Reason.UNKNOWN_FUNCTION);
    assertThat(analyze("select * from t", broken).reason()).isEqualTo(Reason.RELATION);
  }

  @Test
  void builtInCatalog_knowsWhatPostgresShips() {
    FunctionCatalog catalog = FunctionCatalog.builtIn();
    for (String operator : new String[] {"+", "#", "##", "#-", "<>", "?|", "~~*", "^@", "-|-"}) {
      assertThat(catalog.isPlainOperator(operator)).as(operator).isTrue();
    }
    assertThat(catalog.isPlainOperator("+++")).isFalse();
    assertThat(catalog.function(null, "now")).isEqualTo(Effect.HARMLESS);
    assertThat(catalog.function("pg_catalog", "now")).isEqualTo(Effect.HARMLESS);
    assertThat(catalog.function("public", "now")).isEqualTo(Effect.UNKNOWN);
    assertThat(catalog.function(null, "Now")).isEqualTo(Effect.UNKNOWN);
    for (String name :
        Set.of(
            "nextval",
            "setval",
            "txid_current",
            "pg_current_xact_id",
            "pg_sleep",
            "lo_import",
            "pg_notify")) {
      assertThat(catalog.function(null, name)).as(name).isEqualTo(Effect.PRIMARY);
    }
    for (String name :
        Set.of("set_config", "pg_advisory_lock", "pg_try_advisory_lock", "currval", "setseed")) {
      assertThat(catalog.function(null, name)).as(name).isEqualTo(Effect.SESSION);
    }
    assertThat(catalog.function(null, "query_to_xml")).isEqualTo(Effect.UNKNOWN);
  }

  @Test
  void commonTables_outOfSight_areTables() {
    assertThat(analyze("select * from (with x as (select 1) select 1 from x) q, x").tablesRead())
        .containsExactly(TableName.of("x"));
    assertThat(
            analyze("with a as (select * from b), b as (select 1) select * from a, b").tablesRead())
        .containsExactly(TableName.of("b"));
    assertThat(
            analyze("with x as (with x as (select * from x) select * from x) select * from x")
                .tablesRead())
        .containsExactly(TableName.of("x"));
    assertThat(analyze("with x as (select 1) insert into x select * from x").tablesWritten())
        .containsExactly(TableName.of("x"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1_000_000, 9_000})
  void analyze_deepNests_neitherOverflowNorThrow(int depth) {
    String[] parts = {"(", "[", "(select ", "/*", "with a as (", "select * from (", "f(", "::"};
    for (String part : parts) {
      String sql = "select " + part.repeat(Math.min(depth, 1_000_000 / part.length()));
      assertThat(analyze(sql, FunctionCatalog.builtIn(), 1 << 21).mayUseReplica()).isFalse();
    }
    assertThat(analyze("select " + "case when ".repeat(100_000)).statements()).isOne();
    int balanced = Math.min(depth, 9_000);
    assertThat(
            analyze("select " + "(".repeat(balanced) + "1" + ")".repeat(balanced)).mayUseReplica())
        .isTrue();
  }

  @Test
  void analyze_tooLong_isNotScanned() {
    SqlStatement statement = analyze("select 1" + " ".repeat(SqlStatement.DEFAULT_MAX_LENGTH));
    assertThat(statement.reason()).isEqualTo(Reason.TOO_LONG);
    assertThat(statement.writesUnknownTables()).isTrue();
    assertThat(statement.kind()).isEqualTo(StatementKind.UNKNOWN);
    assertThat(statement.fingerprint()).isEqualTo(statement.fingerprint());
  }

  @Test
  void tableName_refusesAnEmptyOne() {
    assertThatThrownBy(() -> TableName.of("")).isInstanceOf(IllegalArgumentException.class);
    assertThat(TableName.of("a", "b")).hasToString("a.b").isGreaterThan(TableName.of("a"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          select (1::bigint).pg_advisory_lock           | true
          select (0.5::float8).setseed                  | true
          select ('s'::regclass).nextval                | false
          select (t.a).pg_terminate_backend from t      | false
          select ($1).lastval                           | true
          """)
  void attribute_thatIsAFunctionOfPostgres_needsThePrimary(String sql, boolean session) {
    SqlStatement statement = analyze(sql);
    assertThat(statement.reason()).isEqualTo(Reason.ATTRIBUTE);
    assertThat(statement.changesSession()).isEqualTo(session);
    assertThat(analyze("select ('select 1'::text).ts_stat").writesUnknownTables()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          create function f() returns int language sql as 'select 1' | true
          create or replace view v as select 1                       | true
          create or replace temp view v as select 1                  | false
          create local temporary table x (a int)                     | false
          create table temp (a int)                                  | true
          alter function f() stable                                  | true
          drop view v                                                | true
          do 'begin end'                                             | true
          select 1 into x                                            | true
          explain analyze create table x as select 1                 | true
          grant select on t to x                                     | false
          insert into t values (f())                                 | false
          select f(1)                                                | false
          call p()                                                   | false
          foo                                                        | true
          select 1; drop view v                                      | true
          """)
  void changesSchema_whereACatalogueReadBeforeMayNoLongerHold(String sql, boolean changes) {
    assertThat(analyze(sql).changesSchema()).isEqualTo(changes);
  }
}
