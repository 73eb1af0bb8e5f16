package dev.aquifer.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.ChildJvm;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A process that is killed cannot say so: the server is what tells that its part is free. */
class KilledProcessTest {
  private static final int BUDGET = 8;
  private static final Eventually SOON = Eventually.within(Duration.ofSeconds(60));

  @RegisterExtension static final PostgresExtension POSTGRES = PostgresExtension.shared();

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-pool");

  /** A process with a pool that wants more than there is, until its input ends. */
  static final class Other {
    public static void main(String[] arguments) throws Exception {
      try (AdaptivePool pool = open(arguments[0], arguments[1], arguments[2]);
          Callers callers = Callers.of(BUDGET, pool, "SELECT pg_sleep(0.02)")) {
        SOON.until("callers are served", () -> callers.done() > 0);
        System.out.println("serving=yes");
        System.in.readAllBytes();
      }
    }
  }

  private static AdaptivePool open(String url, String user, String password) {
    return AdaptivePool.open(
        PoolSettings.builder()
            .name("shared")
            .url(url)
            .credentials(user, password)
            .connectionTimeout(Duration.ofSeconds(30))
            .budget(ServerBudget.discovered(BUDGET))
            .build());
  }

  private static int sessions() throws SQLException {
    try (Connection connection = POSTGRES.database().dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^aquifer/[0-9a-f]+$'"
                    + " AND datname = current_database()")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void partOfAKilledProcess_comesBackToTheOthers() throws Exception {
    String url = POSTGRES.database().url();
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();
    try (ChildJvm other = ChildJvm.start(Other.class, url, user, password);
        AdaptivePool pool = open(url, user, password);
        Callers callers = Callers.of(BUDGET, pool, "SELECT pg_sleep(0.02)")) {
      other.await("serving");
      SOON.until("each has its half", () -> pool.report().open() == BUDGET / 2);
      SOON.until("so has the other", () -> sessions() == BUDGET);
      other.kill();
      Eventually.within(Duration.ofSeconds(20))
          .until("all is here", () -> pool.report().open() == BUDGET);
      assertThat(sessions()).isLessThanOrEqualTo(BUDGET);
      assertThat(callers.errors()).isEmpty();
    }
  }
}
