package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@PostgresTest(standbys = 1, schema = "CREATE TABLE note AS SELECT 'hello' AS text")
@RedisTest
class ExtensionsTest {
  @Test
  void postgresTest_ofAClass_givesItsOwnDatabase(TestDatabase database, DataSource source)
      throws SQLException {
    assertThat(PostgresClusterTest.query(source, "SELECT current_database()"))
        .isEqualTo(database.name())
        .contains("extensionstest");
    assertThat(
            PostgresClusterTest.query(
                database.dataSource(database.cluster().standby(0)), "SELECT text FROM note"))
        .isEqualTo("hello");
  }

  @Test
  void redisTest_ofAClass_givesItsOwnDatabase(RedisDatabase database, RedisServer server) {
    assertThat(database.index()).isPositive();
    database.command("SET", "k", "v");
    assertThat(server.command("GET", "k")).isNull();
    assertThat(database.command("GET", "k")).isEqualTo("v");
  }

  @Nested
  class InANestedClass {
    @Test
    void postgresTest_nested_isTheOuterDatabase(TestDatabase database) throws SQLException {
      assertThat(database.name()).contains("extensionstest");
      assertThat(PostgresClusterTest.query(database.dataSource(), "SELECT text FROM note"))
          .isEqualTo("hello");
    }
  }
}
