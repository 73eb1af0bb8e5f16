package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.pool.AdaptivePool;
import dev.aquifer.pool.PoolDecision;
import dev.aquifer.pool.PoolReport;
import dev.aquifer.pool.PoolSettings;
import dev.aquifer.pool.ServerBudget;
import dev.aquifer.testkit.PostgresExtension;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PoolTest {
  @RegisterExtension static final PostgresExtension POSTGRES = PostgresExtension.shared();

  private final String url = POSTGRES.database().url();
  private final String user = POSTGRES.database().user();
  private final String password = POSTGRES.database().password();

  @Test
  void alone() throws Exception {
    // snippet: pool
    AdaptivePool pool =
        AdaptivePool.open(
            PoolSettings.builder()
                .url(url)
                .credentials(user, password)
                .minimumIdle(2)
                .maximumSize(40)
                .statementTimeout(Duration.ofSeconds(10))
                .leakThreshold(Duration.ofSeconds(30))
                .warmUp(Duration.ofSeconds(5)) // open() returns with two connections open
                .build());
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("select 1");
    }
    PoolReport report = pool.report();
    PoolDecision last = report.last(); // STEADY, 10 connections, … callers/s for … ms each
    List<String> advice = report.recommendations(); // what to change; empty when all is well
    // end
    try (pool) {
      assertThat(last.maximum()).isEqualTo(10);
      assertThat(advice).isEmpty();
      String changedPassword = password;
      // snippet: pool-recycle
      pool.recycle(Duration.ofMinutes(1)); // all of them, evenly over a minute
      pool.recycle(Duration.ZERO, user, changedPassword); // tried first
      // end
      try (Connection connection = pool.getConnection()) {
        assertThat(connection.isValid(5)).isTrue();
      }
    }
  }

  @Test
  void budget() throws Exception {
    PoolSettings.Builder settings = PoolSettings.builder().url(url).credentials(user, password);
    // snippet: pool-budget
    ServerBudget one = ServerBudget.of(60); // one process, several pools
    ServerBudget four = ServerBudget.of(60, 4); // four processes at most: 15 each
    ServerBudget found = ServerBudget.discovered(60); // processes find each other, and lend
    AdaptivePool shop = AdaptivePool.open(settings.name("shop").budget(found).build());
    AdaptivePool jobs = AdaptivePool.open(settings.name("jobs").budget(found).build());
    int now = found.granted(); // what both may have; with all other processes at most 60
    // end
    try (shop;
        jobs) {
      assertThat(now).isBetween(1, 60);
      assertThat(one.share()).isEqualTo(60);
      assertThat(four.share()).isEqualTo(15);
      try (Connection connection = jobs.getConnection()) {
        assertThat(connection.isValid(5)).isTrue();
      }
      assertThat(shop.settings().maximumSize()).isEqualTo(60);
    }
  }
}
