package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a node opens it closes; what it does is counted. */
@Timeout(60)
class AquiferTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES = PostgresExtension.shared().schema(Nodes.schema());

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  @Test
  void close_leavesNoThreadAndNoConnection() {
    LeakCheck.of()
        .threads("aquifer-")
        .threads("lettuce-")
        .database(POSTGRES.database())
        .redis(REDIS.server())
        .limit(Duration.ofSeconds(20))
        .around(
            () -> {
              Aquifer aquifer = Nodes.on(POSTGRES.database(), REDIS.database()).build();
              Book book = aquifer.repository(Book.class);
              Nodes.tenant(book, 1, 7).run(() -> assertThat(book.byId(1)).isPresent());
              aquifer.close();
              aquifer.close();
            });
  }

  @Test
  void build_thatFailsLeavesNoThreadAndNoConnection() {
    LeakCheck.of()
        .threads("aquifer-")
        .threads("lettuce-")
        .database(POSTGRES.database())
        .limit(Duration.ofSeconds(20))
        .around(
            () ->
                assertThatThrownBy(
                        () -> Nodes.on(POSTGRES.database()).redis("redis://127.0.0.1:1").build())
                    .isInstanceOf(AquiferException.class)
                    .hasMessageContaining("127.0.0.1:1"));
  }

  @Test
  void use_afterCloseSaysSo() {
    Aquifer aquifer = Nodes.on(POSTGRES.database(), REDIS.database()).build();
    Book book = aquifer.repository(Book.class);
    Tenant tenant = Nodes.tenant(book, 1, 7);
    aquifer.close();

    tenant.run(
        () -> {
          assertThatThrownBy(() -> book.byId(1)).hasStackTraceContaining("closed");
          assertThatThrownBy(() -> book.delay(1, 8)).hasStackTraceContaining("closed");
        });
    assertThatThrownBy(() -> aquifer.repository(Book.class))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void meters_countAnswersAndRoutesAndGoWithTheNode() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (Aquifer aquifer =
        Nodes.on(POSTGRES.database(), REDIS.database()).meterRegistry(registry).build()) {
      Book book = aquifer.repository(Book.class);
      Nodes.tenant(book, 1, 7)
          .run(
              () -> {
                assertThat(book.byId(1)).isPresent();
                assertThat(book.byId(1)).isPresent();
              });

      assertThat(gets(registry, "source")).isEqualTo(1);
      assertThat(gets(registry, "l1")).isEqualTo(1);
      assertThat(registry.get("aquifer.routes").tag("reason", "write").counter().count())
          .isPositive();
    }
    assertThat(registry.getMeters()).isEmpty();
  }

  private static double gets(SimpleMeterRegistry registry, String tier) {
    return registry.get("cache.gets").tags("cache", "Book.byId", "tier", tier).counter().count();
  }

  @Test
  void twoNodesInOneRegistry_needTagsThatTellThemApart() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (Aquifer first = Nodes.on(POSTGRES.database()).meterRegistry(registry).build()) {
      assertThat(nodesCountedIn(registry)).isEqualTo(1);
      assertThatThrownBy(() -> Nodes.on(POSTGRES.database()).meterRegistry(registry).build())
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("meterRegistry(registry, settings -> settings.tag(");
      Aquifer second =
          Nodes.on(POSTGRES.database())
              .meterRegistry(registry, settings -> settings.tag("instance", "2"))
              .build();
      assertThat(nodesCountedIn(registry)).isEqualTo(2);
      second.close();
      assertThat(first.caches().health().usable()).isTrue();
      assertThat(nodesCountedIn(registry)).isEqualTo(1);
    }
  }

  private static int nodesCountedIn(SimpleMeterRegistry registry) {
    return registry.find("aquifer.cache.remote.usable").gauges().size();
  }

  @Test
  void batch_bindsTheTenantInEveryRow() {
    try (Aquifer aquifer = Nodes.on(POSTGRES.database()).build()) {
      Book book = aquifer.repository(Book.class);
      List<Book.Flight> flights =
          List.of(new Book.Flight(1, 10), new Book.Flight(2, 20), new Book.Flight(3, 30));
      for (String id : List.of("batch-a", "batch-b")) {
        Tenant.of(id).run(() -> assertThat(Arrays.stream(book.add(flights)).sum()).isEqualTo(3));
      }
      Tenant.of("batch-a").run(() -> book.delay(2, 21));

      Tenant.of("batch-a").run(() -> assertThat(book.byId(2)).contains(new Book.Flight(2, 21)));
      Tenant.of("batch-b").run(() -> assertThat(book.byId(2)).contains(new Book.Flight(2, 20)));
      Tenant.of("batch-c").run(() -> assertThat(book.byId(2)).isEmpty());
    }
  }
}
