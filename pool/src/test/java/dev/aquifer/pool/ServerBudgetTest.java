package dev.aquifer.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.PostgresNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ServerBudgetTest {
  private static final Eventually SOON = Eventually.within(Duration.ofSeconds(40));
  private static final String WORK = "SELECT pg_sleep(0.02)";

  @RegisterExtension
  static final PostgresExtension POSTGRES = PostgresExtension.shared().standbys(1);

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-pool");

  private static PoolSettings.Builder settings(String name, ServerBudget budget) {
    return PoolSettings.builder()
        .name(name)
        .url(POSTGRES.database().url())
        .credentials(POSTGRES.database().user(), POSTGRES.database().password())
        .driverProperty("assumeMinServerVersion", "14")
        // More callers than connections, and who gives one back may be the next to have it.
        .connectionTimeout(Duration.ofSeconds(30))
        .budget(budget);
  }

  /** Sessions of pools, as the server has them: their own word is not taken. */
  private static int sessions(PostgresNode node) throws SQLException {
    try (Connection connection = POSTGRES.database().dataSource(node).getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^aquifer(/[0-9a-f]+)?$'"
                    + " AND backend_type = 'client backend' AND datname = current_database()")) {
      row.next();
      return row.getInt(1);
    }
  }

  /** Looks all the time at what pools together may have and at what they have open. */
  private static final class Watch implements AutoCloseable {
    private final AtomicInteger most = new AtomicInteger();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final Thread thread;

    Watch(List<AdaptivePool> pools) {
      thread =
          new Thread(
              () -> {
                while (!stopped.get()) {
                  int open = pools.stream().mapToInt(pool -> pool.report().open()).sum();
                  most.accumulateAndGet(open, Math::max);
                  LockSupport.parkNanos(500_000);
                }
              },
              "watch");
      thread.start();
    }

    int most() {
      return most.get();
    }

    @Override
    public void close() {
      stopped.set(true);
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void poolsOfOneProcess_shareAndLend() throws Exception {
    ServerBudget budget = ServerBudget.of(12);
    List<AdaptivePool> pools = new ArrayList<>();
    try (AdaptivePool first = AdaptivePool.open(settings("first", budget).build());
        AdaptivePool second = AdaptivePool.open(settings("second", budget).build())) {
      pools.add(first);
      pools.add(second);
      try (Watch watch = new Watch(pools)) {
        try (Callers alone = Callers.of(20, first, WORK)) {
          SOON.until("the one has what the other does not need", () -> first.report().open() >= 11);
          try (Callers too = Callers.of(20, second, WORK)) {
            SOON.until("both have their part", () -> second.report().open() == 6);
            SOON.until("no more than that", () -> first.report().open() == 6);
            assertThat(too.errors()).isEmpty();
          }
          assertThat(alone.errors()).isEmpty();
        }
        assertThat(watch.most()).isLessThanOrEqualTo(12);
        assertThat(budget.granted()).isLessThanOrEqualTo(12);
      }
    }
  }

  @Test
  void moreMinimumsThanTheBudget_areRefused() {
    ServerBudget budget = ServerBudget.of(4);
    PoolSettings three = settings("three", budget).minimumIdle(3).build();
    try (AdaptivePool first = AdaptivePool.open(three)) {
      assertThat(first.settings()).isSameAs(three);
      assertThatThrownBy(() -> AdaptivePool.open(settings("two", budget).minimumIdle(2).build()))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("budget")
          .hasMessageContaining("minimumIdle");
    }
    // What was refused or closed holds nothing.
    AdaptivePool.open(settings("two", budget).minimumIdle(2).build()).close();
    assertThat(budget.granted()).isZero();
  }

  @Test
  void processes_findEachOther_shareAndLend_onAStandbyToo() throws Exception {
    for (PostgresNode node : List.of(POSTGRES.cluster().primary(), POSTGRES.cluster().standby(0))) {
      shareAndLend(node);
    }
  }

  /** Two budgets that do not know each other stand for two processes. */
  private static void shareAndLend(PostgresNode node) throws Exception {
    String url = POSTGRES.database().url(node);
    List<AdaptivePool> pools = new ArrayList<>();
    try (AdaptivePool first =
        AdaptivePool.open(settings("first", ServerBudget.discovered(12)).url(url).build())) {
      pools.add(first);
      try (Callers alone = Callers.of(20, first, WORK)) {
        SOON.until("the one has all", () -> first.report().open() == 12);
        try (AdaptivePool second =
            AdaptivePool.open(settings("second", ServerBudget.discovered(12)).url(url).build())) {
          pools.add(second);
          try (Watch watch = new Watch(pools);
              Callers too = Callers.of(20, second, WORK)) {
            SOON.until("both have their part", () -> second.report().open() == 6);
            SOON.until("no more than that", () -> first.report().open() == 6);
            SOON.until("the server has no more", () -> sessions(node) == 12);
            assertThat(watch.most()).isLessThanOrEqualTo(12);
            assertThat(too.done()).isPositive();
          }
        }
        // The second is gone as a process that ends is.
        SOON.until("the one has all again", () -> first.report().open() == 12);
        assertThat(alone.errors()).isEmpty();
      }
    }
  }

  @Test
  void processThatLostItsSession_opensNothingUntilItHasANewOne() throws Exception {
    PostgresNode primary = POSTGRES.cluster().primary();
    try (FaultProxy proxy = FaultProxy.to(primary.host(), primary.port());
        AdaptivePool pool =
            AdaptivePool.open(
                settings("first", ServerBudget.discovered(12))
                    .url(
                        "jdbc:postgresql://%s:%d/%s"
                            .formatted(proxy.host(), proxy.port(), POSTGRES.database().name()))
                    .build());
        Callers callers = Callers.of(20, pool, WORK)) {
      SOON.until("it has all", () -> pool.report().open() == 12);
      proxy.reset();
      SOON.until(
          "it is back under a new session",
          () -> pool.report().open() == 12 && callers.errors().size() > 0);
      assertThat(sessions(primary)).isLessThanOrEqualTo(12);
    }
  }

  /** Ends the session with the number of the process, if there is one now. */
  private static boolean end(String process) throws SQLException {
    try (Connection connection = POSTGRES.database().dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '"
                    + process
                    + "/%'")) {
      return row.next();
    }
  }

  /** While its process has no number, what it has open is what counts for the others. */
  @Test
  void sessionsThatTheApplicationNames_count_andTheirNamesAreNoNumbers() throws Exception {
    try (AdaptivePool small =
            AdaptivePool.open(
                settings("small", ServerBudget.discovered(12)).maximumSize(3).build());
        AdaptivePool other =
            AdaptivePool.open(settings("other", ServerBudget.discovered(12)).build());
        Callers callers = Callers.of(20, other, WORK)) {
      List<Connection> named = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Connection connection = small.getConnection();
        named.add(connection);
        connection.setClientInfo("ApplicationName", small.sessionName("shop/9/9"));
      }
      String name = named.get(0).getClientInfo("ApplicationName");
      assertThat(name).matches("aquifer/[0-9a-f]+ shop/9/9");
      SOON.until("the other has what is left", () -> other.report().open() == 9);
      try (Watch watch = new Watch(List.of(other))) {
        for (int i = 0; i < 5; i++) {
          SOON.until("its number is gone", () -> end(name.substring(0, name.indexOf(' '))));
        }
        assertThat(watch.most()).isLessThanOrEqualTo(9);
      }
      for (Connection connection : named) {
        connection.close();
      }
      assertThat(callers.errors()).isEmpty();
    }
  }

  @Test
  void otherServer_isRefused() throws Exception {
    ServerBudget budget = ServerBudget.discovered(12);
    try (AdaptivePool pool = AdaptivePool.open(settings("first", budget).build())) {
      assertThat(pool.settings().budget()).isSameAs(budget);
      String standby = POSTGRES.database().url(POSTGRES.cluster().standby(0));
      assertThatThrownBy(() -> AdaptivePool.open(settings("second", budget).url(standby).build()))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("of one server");
    }
  }
}
