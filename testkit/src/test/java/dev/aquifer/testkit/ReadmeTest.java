package dev.aquifer.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The README's examples, run; and that they are these. */
class ReadmeTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @Nested
  @PostgresTest(standbys = 1, schema = "CREATE TABLE flight (id int, delay int)")
  @RedisTest
  class DeparturesTest {
    @Test
    void insert_isSeenOnTheStandby(TestDatabase database, RedisDatabase redis) throws SQLException {
      PostgresNode standby = database.cluster().standby(0);
      execute(database.dataSource(), "INSERT INTO flight VALUES (42, 7)");
      database.cluster().awaitCaughtUp(Duration.ofSeconds(5));
      assertThat(query(database.dataSource(standby), "SELECT delay FROM flight")).isEqualTo("7");
      redis.command("SET", "flight:42", "7");
    }
  }

  @Test
  void cluster_survivesAFailover() throws SQLException {
    try (PostgresCluster cluster = PostgresCluster.builder().standbys(1).start()) {
      TestDatabase shop = cluster.createDatabase("shop");
      cluster.primary().kill();
      PostgresNode promoted = cluster.standby(0);
      promoted.promote();
      try (Connection connection = shop.dataSource(promoted).getConnection()) {
        assertThat(connection.isReadOnly()).isFalse();
      }
    }
  }

  @Test
  void redis_restartsEmpty() {
    try (RedisServer redis = RedisServer.builder().password("secret").start()) {
      redis.command("SET", "flight:42", "7");
      redis.pause();
      redis.resume();
      redis.restart();
      assertThat(redis.command("GET", "flight:42")).isNull();
    }
  }

  @Test
  void proxy_resetsConnections() throws Exception {
    try (RedisServer redis = RedisServer.start();
        FaultProxy proxy = FaultProxy.to(redis.host(), redis.port());
        Socket socket = new Socket(proxy.host(), proxy.port())) {
      proxy.delay(Duration.ofMillis(80));
      socket.getOutputStream().write("PING\r\n".getBytes(US_ASCII));
      assertThat(socket.getInputStream().readNBytes(7)).asString(US_ASCII).isEqualTo("+PONG\r\n");
      proxy.reset();
      assertThatThrownBy(() -> socket.getInputStream().read()).hasMessage("Connection reset");
      proxy.heal();
    }
  }

  @Test
  void time_movesWhenTold() {
    FakeTicker ticker = new FakeTicker();
    DeterministicScheduler scheduler = new DeterministicScheduler(ticker);
    List<Long> samples = new ArrayList<>();
    var sampling =
        scheduler.scheduleAtFixedRate(
            () -> samples.add(ticker.getAsLong()), 1, 1, TimeUnit.SECONDS);
    scheduler.advance(Duration.ofSeconds(3));
    assertThat(samples).containsExactly(1_000_000_000L, 2_000_000_000L, 3_000_000_000L);
    sampling.cancel(false);
  }

  @Test
  void leaks_areFound() {
    LeakCheck.of()
        .threads("aquifer-fault-proxy-")
        .around(
            () -> {
              FaultProxy proxy = FaultProxy.to("127.0.0.1", 6379);
              Eventually.within(Duration.ofSeconds(5))
                  .until("idle", () -> proxy.connections() == 0);
              proxy.close();
            });
  }

  @Test
  void cluster_replacesAMaster() {
    try (RedisCluster cluster = RedisCluster.builder().replicas(3).start()) {
      RedisServer master = cluster.masterOf("flight:42");
      RedisServer replica = cluster.replicaOf(master);
      cluster.promote(replica);
      assertThat(cluster.masterOf("flight:42")).isSameAs(replica);
    }
  }

  @Test
  void proof_triesAtRandom() {
    Proof.of("reverse-twice")
        .tries(200, 100_000)
        .each(
            random -> {
              String text = Long.toString(random.nextLong());
              String twice = new StringBuilder(text).reverse().reverse().toString();
              assertThat(twice).isEqualTo(text);
            });
  }

  @Test
  void readme_showsWhatRunsHere() throws Exception {
    String source = squeezed(source(ReadmeTest.class) + source(InfluxServerTest.class));
    Matcher blocks = BLOCK.matcher(Files.readString(Path.of("README.md")));
    int count = 0;
    while (blocks.find()) {
      count++;
      assertThat(source).contains(squeezed(blocks.group(1)));
    }
    assertThat(count).isGreaterThanOrEqualTo(8);
  }

  private static String source(Class<?> test) throws IOException {
    return Files.readString(Path.of("src/test/java", test.getName().replace('.', '/') + ".java"));
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }

  private static void execute(DataSource source, String sql) throws SQLException {
    PostgresClusterTest.execute(source, sql);
  }

  private static String query(DataSource source, String sql) throws SQLException {
    return PostgresClusterTest.query(source, sql);
  }
}
