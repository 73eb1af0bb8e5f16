package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class RedisServerTest {
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
