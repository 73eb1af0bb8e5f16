package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RedisServerTest {
  @TempDir Path folder;

  @Test
  void kill_thenRestart_isEmpty() {
    try (RedisServer redis = RedisServer.start()) {
      redis.command("SET", "k", "v");
      assertThat(redis.command("GET", "k")).isEqualTo("v");
      int port = redis.port();

      redis.kill();

      assertThat(redis.isRunning()).isFalse();
      assertThatThrownBy(() -> redis.command("GET", "k")).isInstanceOf(TestkitException.class);
      redis.restart();
      assertThat(redis.port()).isEqualTo(port);
      assertThat(redis.command("GET", "k")).isNull();
      assertThat(redis.version()).isNotEmpty();
    }
  }

  @Test
  void restore_hasWhatWasThereThen_andTheNextStartNothing() {
    try (RedisServer redis = RedisServer.start()) {
      redis.command("SET", "k", "v");
      RedisSnapshot snapshot = redis.snapshot();
      redis.command("SET", "k", "w");
      redis.command("SET", "l", "w");
      redis.restore(snapshot);
      assertThat(redis.command("GET", "k")).isEqualTo("v");
      assertThat(redis.command("GET", "l")).isNull();
      redis.restart();
      assertThat(redis.command("GET", "k")).isNull();
    }
  }

  @Test
  void kill_persistent_keepsWhatWasAnswered() {
    try (RedisServer redis = RedisServer.builder().persistent().start()) {
      redis.command("SET", "k", "v");
      redis.kill();
      redis.restart();
      assertThat(redis.command("GET", "k")).isEqualTo("v");
    }
  }

  @Test
  void pause_thenResume_answersAfterwards() {
    try (RedisServer redis = RedisServer.builder().limit(Duration.ofMillis(300)).start()) {
      redis.pause();
      assertThat(redis.isPaused()).isTrue();
      assertThatThrownBy(() -> redis.command("PING"))
          .isInstanceOf(TestkitException.class)
          .hasMessageContaining("timed out");
      redis.resume();
      assertThat(redis.command("PING")).isEqualTo("PONG");
    }
  }

  @Test
  void start_withTheNamedBinary_runsThatOne() throws Exception {
    Path embedded = RedisBinary.prepare(Workspace.get());
    Path other = Files.copy(embedded, folder.resolve("redis-server"));
    String before = System.setProperty("aquifer.test.redis-server", other.toString());
    try (RedisServer redis = RedisServer.start()) {
      assertThat(ProcessHandle.of(redis.pid()).orElseThrow().info().command())
          .contains(other.toRealPath().toString());
    } finally {
      restore(before);
    }
  }

  @Test
  void start_withANamedBinaryThatIsMissing_namesIt() {
    String before = System.setProperty("aquifer.test.redis-server", "/nowhere/redis-server");
    try {
      assertThatThrownBy(RedisServer::start)
          .isInstanceOf(TestkitException.class)
          .hasMessageContaining("aquifer.test.redis-server")
          .hasMessageContaining("/nowhere/redis-server");
    } finally {
      restore(before);
    }
  }

  @Test
  void user_withRules_mayDoWhatTheyAllow() throws Exception {
    try (RedisServer redis =
            RedisServer.builder().user("reader", "word", "~pub:* +get +ping").start();
        RespConnection connection = new RespConnection(redis.port(), Duration.ofSeconds(5))) {
      connection.command(List.of("AUTH", "reader", "word"));
      assertThat(connection.command(List.of("GET", "pub:1"))).isNull();
      assertThatThrownBy(() -> connection.command(List.of("SET", "pub:1", "x")))
          .hasMessageContaining("NOPERM");
      assertThatThrownBy(() -> connection.command(List.of("GET", "private:1")))
          .hasMessageContaining("NOPERM");
    }
  }

  @Test
  void maxMemory_whenFull_refusesWrites() {
    try (RedisServer redis = RedisServer.builder().maxMemory(3 << 20).start()) {
      assertThatThrownBy(() -> redis.command("SET", "big", "x".repeat(4 << 20)))
          .isInstanceOf(TestkitException.class);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 100; i++) {
                  redis.command("SET", "k" + i, "x".repeat(1 << 16));
                }
              })
          .hasMessageContaining("OOM");
    }
  }

  @Test
  void close_twice_leavesNothing() {
    RedisServer redis = RedisServer.start();
    ProcessHandle process = ProcessHandle.of(redis.pid()).orElseThrow();
    redis.close();
    redis.close();
    assertThat(Processes.isGone(process)).isTrue();
    assertThatThrownBy(redis::restart).isInstanceOf(IllegalStateException.class);
  }

  private static void restore(String before) {
    if (before == null) {
      System.clearProperty("aquifer.test.redis-server");
    } else {
      System.setProperty("aquifer.test.redis-server", before);
    }
  }

  @Test
  void flushConnections_withClients_closesThem() throws Exception {
    try (RedisServer redis = RedisServer.builder().password("secret").start();
        RespConnection client = new RespConnection(redis.port(), Duration.ofSeconds(5))) {
      assertThatThrownBy(() -> client.command(List.of("PING"))).hasMessageContaining("NOAUTH");
      client.command(List.of("AUTH", "secret"));
      client.command(List.of("SUBSCRIBE", "news"));
      assertThat(redis.connections()).isEqualTo(1);

      redis.flushConnections();

      Eventually.within(Duration.ofSeconds(5))
          .until("client is cut off", () -> redis.connections() == 0);
      assertThatThrownBy(() -> client.command(List.of("PING")))
          .isInstanceOf(java.io.IOException.class);
      assertThat(redis.toString()).doesNotContain("secret");
    }
  }
}
