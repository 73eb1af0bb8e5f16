package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.testkit.PostgresExtension;
import java.io.Reader;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.PGConnection;

class JdbcTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema("create table flight (id bigint primary key, delay int)");

  private static ReplicaSet set() {
    return ReplicaSet.builder()
        .primary(POSTGRES.database().url())
        .replica(POSTGRES.database().standbyUrls().get(0))
        .credentials(POSTGRES.database().user(), POSTGRES.database().password())
        .build();
  }

  @Test
  void copy() throws Exception {
    Reader rows = new StringReader("1\t5\n2\t0\n");
    try (ReplicaSet database = set()) {
      // snippet: jdbc-copy
      try (Connection connection = database.getConnection()) {
        connection.setAutoCommit(false);
        PGConnection driver = connection.unwrap(PGConnection.class); // the primary's, from here on
        driver.getCopyAPI().copyIn("copy flight from stdin", rows);
        connection.commit(); // told to caches as a write of any table
      }
      // end
      try (Connection connection = database.getConnection();
          Statement statement = connection.createStatement()) {
        assertThat(statement.executeUpdate("delete from flight")).isEqualTo(2);
      }
    }
  }

  @Test
  void updatable() throws Exception {
    try (ReplicaSet database = set();
        Connection connection = database.getConnection()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("insert into flight values (7, 30)");
      }
      // snippet: jdbc-updatable
      try (Statement statement =
              connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE);
          ResultSet late =
              statement.executeQuery("select id, delay from flight where delay > 15")) {
        while (late.next()) {
          late.updateInt("delay", 15);
          late.updateRow(); // told to caches as a write of flight
        }
      }
      // end
      try (Statement statement = connection.createStatement()) {
        assertThat(statement.executeUpdate("delete from flight where delay = 15")).isEqualTo(1);
      }
    }
  }
}
