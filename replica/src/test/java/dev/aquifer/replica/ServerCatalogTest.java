package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Consistency;
import dev.aquifer.sql.Reason;
import dev.aquifer.sql.SqlAnalyzer;
import dev.aquifer.sql.SqlStatement;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@PostgresTest(
    standbys = 2,
    schema = {
      "CREATE SCHEMA app",
      "CREATE SEQUENCE numbers",
      "CREATE TABLE item (id int PRIMARY KEY, label text)",
      "INSERT INTO item VALUES (1, 'a')",
      "CREATE UNLOGGED TABLE scratch (id int)",
      "CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'UPDATE public.item SET label = label RETURNING 1'",
      "CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'",
      "CREATE FUNCTION twice_at_least(int) RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN twice($1); END'",
      "CREATE FUNCTION twice_atomic(int) RETURNS int STABLE LANGUAGE sql BEGIN ATOMIC SELECT twice($1); END",
      // Declared stable, and not: each in its own way.
      "CREATE FUNCTION sly() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT nextval(''numbers'')'",
      "CREATE FUNCTION sly_lock() RETURNS void STABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(1); END'",
      "CREATE FUNCTION sly_touch() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN touch(); END'",
      "CREATE FUNCTION sly_quoted() RETURNS void STABLE LANGUAGE plpgsql AS 'BEGIN PERFORM \"pg_advisory_lock\"(1); END'",
      "CREATE FUNCTION sly_dynamic(text) RETURNS void STABLE LANGUAGE plpgsql AS 'BEGIN EXECUTE $1; END'",
      "CREATE FUNCTION sly_atomic() RETURNS bigint STABLE LANGUAGE sql BEGIN ATOMIC SELECT nextval('numbers'); END",
      "CREATE FUNCTION sly_default(bigint DEFAULT nextval('numbers')) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT $1'",
      "CREATE FUNCTION app.twice(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
      "CREATE FUNCTION app.thrice(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 * 3'",
      "CREATE FUNCTION app.lower(int) RETURNS int LANGUAGE sql AS 'SELECT $1'",
      "CREATE FUNCTION bump(item) RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''numbers'')'",
      "CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int, initcond = 0)",
      "CREATE FUNCTION sly_step(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1'",
      "CREATE AGGREGATE sly_total (int) (sfunc = sly_step, stype = int, initcond = 0)",
      "CREATE VIEW plain AS SELECT id, label, twice(id) FROM item",
      "CREATE VIEW drawing AS SELECT nextval('numbers') n",
      "CREATE VIEW touching AS SELECT touch() FROM plain",
      "CREATE VIEW above AS SELECT * FROM (SELECT * FROM touching) t",
      "CREATE VIEW locking AS SELECT * FROM item FOR UPDATE",
      "CREATE MATERIALIZED VIEW kept AS SELECT touch() t",
      "CREATE VIEW sampled AS SELECT * FROM item TABLESAMPLE bernoulli (50)",
      "CREATE VIEW over_scratch AS SELECT * FROM scratch",
      "CREATE VIEW over_locks AS SELECT * FROM pg_locks",
      "CREATE VIEW app.item AS SELECT sly()",
      "CREATE TABLE guarded (id int)",
      "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
      "CREATE POLICY p ON guarded USING (touch() > 0)",
      "CREATE TABLE parted (id int) PARTITION BY LIST (id)",
      "CREATE UNLOGGED TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
      "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
      "CREATE FUNCTION sly_check(int) RETURNS boolean LANGUAGE sql AS 'SELECT touch() > 0'",
      "CREATE DOMAIN checked AS int CHECK (sly_check(VALUE))",
      "CREATE TYPE mood AS ENUM ('good', 'bad')",
      "CREATE TYPE pair AS (a checked, b int)",
      "CREATE TYPE point3 AS (x int, y int, z int)",
      "CREATE FUNCTION point3_of(int) RETURNS point3 LANGUAGE sql AS 'SELECT ROW(touch(), 1, 1)::point3'",
      "CREATE CAST (int AS point3) WITH FUNCTION point3_of(int) AS IMPLICIT",
      "CREATE FUNCTION takes_point(point3) RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'",
      "CREATE FUNCTION add_mood(mood, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $2'",
      "CREATE OPERATOR <+> (leftarg = mood, rightarg = int, function = add_mood)",
      "CREATE FUNCTION add_badly(mood, int) RETURNS int LANGUAGE sql AS 'SELECT touch()'",
      "CREATE OPERATOR <-+> (leftarg = mood, rightarg = int, function = add_badly)",
      "CREATE FUNCTION sly_operator(mood) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1<-+>-1'",
      "CREATE OPERATOR app.+ (leftarg = mood, rightarg = int, function = add_badly)"
    })
class ServerCatalogTest {
  private static final Sets.Routes ROUTES = new Sets.Routes();
  private static LeakCheck.Watch leaks;
  private static ReplicaSet set;

  @BeforeAll
  static void open(TestDatabase database) {
    leaks = LeakCheck.of().threads("aquifer-").database(database).start();
    set =
        Sets.of(database)
            .observer(ROUTES)
            .consistency(Consistency.eventual())
            .catalogEvery(Duration.ofMillis(200))
            .build();
    Sets.awaitReplicas(set, 2);
    awaitCatalog();
  }

  @AfterAll
  static void close() {
    set.close();
    leaks.close();
  }

  private static void awaitCatalog() {
    Eventually.within(Duration.ofSeconds(20)).until("the catalogue is read", set::knowsCatalog);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          SELECT twice(1), twice_at_least(2)            | UNKNOWN_FUNCTION
          SELECT public.twice(1), twice_at_least(2)     | UNKNOWN_FUNCTION
          SELECT public.twice(1), app.thrice(2)          | NONE
          SELECT thrice(2)                              | NONE
          SELECT app.twice('x')                         | UNKNOWN_FUNCTION
          SELECT touch()                                | UNKNOWN_FUNCTION
          SELECT sly()                                  | PRIMARY_FUNCTION
          SELECT sly_lock()                             | SESSION_FUNCTION
          SELECT sly_touch()                            | UNKNOWN_FUNCTION
          SELECT sly_quoted()                           | SESSION_FUNCTION
          SELECT sly_dynamic('select 1')                | UNKNOWN_FUNCTION
          SELECT sly_atomic()                           | PRIMARY_FUNCTION
          SELECT sly_default()                          | PRIMARY_FUNCTION
          SELECT lower('X')                             | UNKNOWN_FUNCTION
          SELECT pg_catalog.lower('X'), upper('x')      | NONE
          SELECT total(id) FROM public.item             | NONE
          SELECT sly_total(id) FROM item                | UNKNOWN_FUNCTION
          SELECT nobody_made_this(1)                    | UNKNOWN_FUNCTION
          SELECT public.item.id FROM public.item        | NONE
          SELECT id FROM item                           | RELATION
          SELECT i.bump FROM public.item i              | ATTRIBUTE
          SELECT (1::bigint).pg_advisory_lock           | ATTRIBUTE
          SELECT * FROM plain                           | NONE
          SELECT * FROM drawing                         | RELATION
          SELECT * FROM touching                        | RELATION
          SELECT * FROM above                           | RELATION
          SELECT * FROM locking                         | RELATION
          SELECT * FROM kept                            | NONE
          SELECT * FROM sampled                         | NONE
          SELECT * FROM scratch                         | RELATION
          SELECT * FROM over_scratch                    | RELATION
          SELECT * FROM over_locks                      | RELATION
          SELECT last_value FROM numbers                | RELATION
          SELECT * FROM guarded                         | RELATION
          SELECT * FROM parted                          | RELATION
          SELECT * FROM nobody_made_this                | RELATION
          SELECT * FROM pg_class, information_schema.tables | NONE
          SELECT 1::positive, 'good'::mood, '{}'::mood[], 2::pg_catalog.int4 | NONE
          SELECT 1::int, 2::double precision, 'x'::character varying(3), 1::bit | NONE
          SELECT 1::checked                             | TYPE
          SELECT '(1,2)'::pair                          | TYPE
          SELECT '{}'::checked[]                        | TYPE
          SELECT 1::point3                              | TYPE
          SELECT takes_point(1)                         | UNKNOWN_FUNCTION
          SELECT 1::nobody_made_this                    | TYPE
          SELECT 'good'::mood <+> 1                     | NONE
          SELECT 'good'::mood <-+> 1                    | OPERATOR
          SELECT sly_operator('good'::mood)             | UNKNOWN_FUNCTION
          SELECT 1 - 1                                  | NONE
          SELECT 1 + 1                                  | OPERATOR
          """)
  void statement_isToldByWhatTheServerHolds(String sql, Reason reason) {
    assertThat(set.analyze(sql).reason()).as(sql).isEqualTo(reason);
  }

  @Test
  void relation_thatOnlyAStandbyRefuses_voidsNothing() {
    assertThat(set.analyze("SELECT * FROM scratch").writesUnknownTables()).isFalse();
    assertThat(set.analyze("SELECT last_value FROM numbers").writesUnknownTables()).isFalse();
    assertThat(set.analyze("SELECT * FROM drawing").writesUnknownTables()).isFalse();
    assertThat(set.analyze("SELECT * FROM touching").writesUnknownTables()).isTrue();
  }

  @Test
  void functionMadeVolatileByTheRouter_neverRunsOnAReplicaAgain() throws Exception {
    Sets.execute(
        set,
        "CREATE FUNCTION turning() RETURNS int STABLE LANGUAGE sql AS 'SELECT id FROM public.plain'");
    awaitReleased("SELECT turning()");
    Sets.query(set, "SELECT turning()");
    assertThat(ROUTES.last()).isEqualTo("REPLICA READ");
    Sets.execute(
        set,
        "CREATE OR REPLACE FUNCTION turning() RETURNS int VOLATILE LANGUAGE sql"
            + " AS 'SELECT 1 FROM pg_advisory_xact_lock(1)'");
    assertThat(set.analyze("SELECT turning()").mayUseReplica()).isFalse();
    Sets.query(set, "SELECT turning()");
    assertThat(ROUTES.last()).isEqualTo("PRIMARY WRITE");
    awaitCatalog();
    assertThat(set.analyze("SELECT turning()").mayUseReplica()).isFalse();
  }

  @Test
  void functionMadeVolatileInATransaction_isDistrustedFromItsCommit() throws Exception {
    Sets.execute(set, "CREATE FUNCTION later() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'");
    awaitReleased("SELECT later()");
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("ALTER FUNCTION later() VOLATILE");
      assertThat(set.analyze("SELECT later()").mayUseReplica()).isTrue();
      connection.commit();
    }
    assertThat(set.analyze("SELECT later()").mayUseReplica()).isFalse();
  }

  @Test
  void functionMadeVolatileByAnotherClient_isKnownAfterAPeriod(TestDatabase database)
      throws Exception {
    directly(database, "CREATE FUNCTION other() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'");
    awaitReleased("SELECT other()");
    directly(database, "ALTER FUNCTION other() VOLATILE");
    Eventually.within(Duration.ofSeconds(20))
        .until("held back", () -> !set.analyze("SELECT other()").mayUseReplica());
  }

  @Test
  void viewOfANewName_isHeldBackUntilItIsRead(TestDatabase database) throws Exception {
    directly(database, "CREATE VIEW new_touching AS SELECT touch() FROM public.item");
    directly(database, "CREATE VIEW new_plain AS SELECT id FROM public.item");
    assertThat(set.analyze("SELECT * FROM new_touching").mayUseReplica()).isFalse();
    awaitReleased("SELECT * FROM new_plain");
    assertThat(set.analyze("SELECT * FROM new_touching").mayUseReplica()).isFalse();
  }

  @Test
  void doBlockThroughTheRouter_isFollowedToo() throws Exception {
    Sets.execute(set, "CREATE FUNCTION hidden() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'");
    awaitReleased("SELECT hidden()");
    Sets.execute(set, "DO $$ BEGIN ALTER FUNCTION hidden() VOLATILE; END $$");
    assertThat(set.analyze("SELECT hidden()").mayUseReplica()).isFalse();
  }

  @Test
  void textThatAStandbyRefused_staysOnThePrimary() throws Exception {
    // Nothing in its text tells: the name is put together where no catalogue sees it.
    Sets.execute(
        set,
        "CREATE FUNCTION concealed() RETURNS text STABLE LANGUAGE sql"
            + " AS 'SELECT query_to_xml(''select next'' || ''val(''''numbers'''')'', true, true, '''')::text'");
    awaitCatalog();
    assertThat(set.analyze("SELECT concealed()").mayUseReplica()).isFalse();
  }

  @Test
  void analyzerAndCatalogEvery_contradictEachOther(TestDatabase database) {
    assertThatThrownBy(
            () ->
                Sets.of(database)
                    .analyzer(SqlAnalyzer.create())
                    .catalogEvery(Duration.ofSeconds(1))
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("analyzer")
        .hasMessageContaining("catalogEvery");
    assertThatThrownBy(() -> Sets.of(database).catalogEvery(Duration.ofMillis(1)).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("catalogEvery");
  }

  private static void awaitReleased(String sql) {
    Eventually.within(Duration.ofSeconds(20))
        .until(sql + " may use a replica", () -> released(set.analyze(sql)));
  }

  private static boolean released(SqlStatement statement) {
    return statement.mayUseReplica() && set.knowsCatalog();
  }

  private static void directly(TestDatabase database, String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
