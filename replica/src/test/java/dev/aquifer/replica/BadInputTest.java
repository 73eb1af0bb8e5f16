package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@PostgresTest
class BadInputTest {
  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private static ReplicaSetBuilder builder(String url) {
    return ReplicaSet.builder()
        .primary(url)
        .credentials("aquifer", "wrong-secret")
        .startupTimeout(Duration.ofSeconds(1));
  }

  @Test
  void wrongPassword_isSaidWithoutIt(TestDatabase database) {
    assertThatThrownBy(() -> builder(database.url()).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("127.0.0.1")
        .hasMessageContaining(database.name())
        .hasMessageContaining("'aquifer'")
        .hasMessageNotContaining("wrong-secret");
  }

  @Test
  void unknownDatabase_isSaid(TestDatabase database) {
    assertThatThrownBy(
            () ->
                builder(database.url() + "_not_there")
                    .credentials(database.user(), database.password())
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(database.name() + "_not_there");
  }

  @Test
  void unknownHost_isSaidWithinTheLimit() {
    long begun = System.nanoTime();
    assertThatThrownBy(() -> builder("jdbc:postgresql://no-such-host.invalid:5432/app").build())
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("no-such-host.invalid:5432/app");
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void nobodyListens_isSaid() {
    assertThatThrownBy(() -> builder("jdbc:postgresql://127.0.0.1:1/app?password=hidden").build())
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("127.0.0.1:1/app")
        .hasMessageNotContaining("hidden");
  }

  @Test
  void contradictions_areRefused(TestDatabase database) {
    assertThatThrownBy(() -> ReplicaSet.builder().build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("primary");
    assertThatThrownBy(() -> builder(database.url()).replica(database.url()).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("twice");
    assertThatThrownBy(() -> builder(database.url()).probeTimeout(Duration.ZERO).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("probeTimeout");
    assertThatThrownBy(() -> builder(database.url()).replica("jdbc:postgresql://h/x", -1).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("-1");
  }
}
