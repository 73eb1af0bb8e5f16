package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@PostgresTest
@RedisTest
class LeakCheckTest {
  private static final Duration SHORT = Duration.ofMillis(100);

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("leak-check-");

  @Test
  void close_threadThatStays_isReportedUntilItEnds() throws InterruptedException {
    CountDownLatch end = new CountDownLatch(1);
    LeakCheck.Watch watch = LeakCheck.of().threads("leak-check-").limit(SHORT).start();
    Thread thread =
        new Thread(
            () -> {
              try {
                end.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "leak-check-1");
    thread.start();
    assertThatThrownBy(watch::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("thread leak-check-1");
    end.countDown();
    thread.join(10_000);
    watch.close();
  }

  @Test
  void close_connectionAndLockThatStay_areReported(TestDatabase database) throws SQLException {
    LeakCheck.Watch watch = LeakCheck.of().database(database).limit(SHORT).start();
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE held (n int)");
      connection.setAutoCommit(false);
      statement.execute("LOCK TABLE held");
      statement.execute("SELECT pg_advisory_lock(7)");
      assertThatThrownBy(watch::close)
          .hasMessageContaining("primary: connection of process")
          .hasMessageContaining("AccessExclusiveLock")
          .hasMessageContaining("on held")
          .hasMessageContaining("advisory lock");
      connection.rollback();
    }
    LeakCheck.of().database(database).start().close();
    Eventually.within(Duration.ofSeconds(10)).asserts(watch::close);
  }

  @Test
  void close_redisConnectionThatStays_isReported(RedisServer redis) throws Exception {
    LeakCheck.Watch watch = LeakCheck.of().redis(redis).limit(SHORT).start();
    try (RespConnection connection = new RespConnection(redis.port(), Duration.ofSeconds(5))) {
      assertThat(connection.command(List.of("PING"))).isEqualTo("PONG");
      assertThatThrownBy(watch::close).hasMessageContaining("a connection to Redis");
    }
    Eventually.within(Duration.ofSeconds(10)).asserts(watch::close);
  }
}
