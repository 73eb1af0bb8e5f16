package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Consistency;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What another program has just written is missed by a replica; how fresh reads are decides. */
class ReadingTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(1)).schema(Nodes.schema());

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private static void insert(Tenant tenant, String airport) throws SQLException {
    try (Connection connection = POSTGRES.database().dataSource().getConnection();
        PreparedStatement statement =
            connection.prepareStatement("insert into airport values (?, ?)")) {
      statement.setString(1, tenant.id());
      statement.setString(2, airport);
      statement.executeUpdate();
    }
  }

  @Test
  void cachedLoad_isAsFreshAsTheCallAsked() throws Exception {
    Tenant tenant = Tenant.of("DFW");
    try (Aquifer aquifer =
        Nodes.on(POSTGRES.database()).replicas(POSTGRES.database().standbyUrls()).build()) {
      Book book = aquifer.repository(Book.class);
      POSTGRES.database().cluster().standby(0).pauseReplay();
      try {
        insert(tenant, "HNL");
        insert(tenant, "SFO");
        tenant.run(() -> assertThat(book.airport("HNL")).as("of the replica").isEmpty());
        assertThat(tenant.call(() -> reading(aquifer, Consistency.strong(), book, "SFO"))).isTrue();
        insert(tenant, "LIH");
        Consistency lately = Consistency.bounded(Duration.ofNanos(1));
        assertThat(tenant.call(() -> reading(aquifer, lately, book, "LIH"))).isTrue();
      } finally {
        POSTGRES.database().cluster().standby(0).resumeReplay();
      }
    }
  }

  private static boolean reading(Aquifer aquifer, Consistency level, Book book, String airport)
      throws Exception {
    return aquifer.reading(level, () -> book.airport(airport)).isPresent();
  }
}
