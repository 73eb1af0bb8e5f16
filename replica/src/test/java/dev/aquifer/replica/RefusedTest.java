package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Consistency;
import dev.aquifer.sql.FunctionCatalog;
import dev.aquifer.sql.SqlAnalyzer;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a standby refuses although it was thought to be a read. */
@PostgresTest(
    standbys = 1,
    schema = {
      "CREATE TABLE item (id int PRIMARY KEY, count int)",
      "INSERT INTO item VALUES (1, 0)",
      "CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'UPDATE item SET count = count + 1 RETURNING count'",
      "CREATE FUNCTION touch_stable() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN touch(); END'"
    })
class RefusedTest {
  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  /** Believes what was declared, or hoped. */
  private static final FunctionCatalog CREDULOUS =
      new FunctionCatalog() {
        @Override
        public Effect function(@Nullable String schema, String name) {
          return name.startsWith("touch")
              ? Effect.HARMLESS
              : FunctionCatalog.builtIn().function(schema, name);
        }
      };

  @Test
  void statementThatAStandbyRefuses_runsOnceOnThePrimaryAndStaysThere(TestDatabase database)
      throws Exception {
    Sets.Routes routes = new Sets.Routes();
    Sets.Listener told = new Sets.Listener();
    try (ReplicaSet set =
        Sets.of(database)
            .observer(routes)
            .commitListener(told)
            .consistency(Consistency.eventual())
            .analyzer(SqlAnalyzer.builder().catalog(CREDULOUS).build())
            .build()) {
      Sets.awaitReplicas(set, database.standbyUrls().size());
      int before = Integer.parseInt(Sets.query(set, "SELECT count FROM item"));
      routes.seen.clear();
      told.take();

      assertThat(Sets.query(set, "SELECT touch_stable()")).isEqualTo(String.valueOf(before + 1));
      assertThat(routes.seen).containsExactly("REPLICA READ", "PRIMARY RETRY");
      assertThat(told.take()).containsExactly("committing []+?", "committed []+?");

      assertThat(Sets.query(set, "SELECT touch_stable()")).isEqualTo(String.valueOf(before + 2));
      assertThat(routes.last()).isEqualTo("PRIMARY WRITE");
      assertThat(told.take()).containsExactly("committing []+?", "committed []+?");
    }
  }
}
