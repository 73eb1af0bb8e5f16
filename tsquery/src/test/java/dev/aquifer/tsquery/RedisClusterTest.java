package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ClusterNode.as;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.RedisCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Windows of tenants that are on all masters of a Redis Cluster, between two nodes. */
class RedisClusterTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final List<Tenant> TENANTS =
      IntStream.range(0, 12).mapToObj(i -> Tenant.of("T" + i)).toList();

  private static RedisCluster cluster;

  private final PointsBackend points = new PointsBackend();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private ClusterNode one;
  private ClusterNode two;

  @BeforeAll
  static void start() {
    cluster = RedisCluster.builder().start();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @BeforeEach
  void open() {
    one = node();
    two = node();
    for (ClusterNode node : List.of(one, two)) {
      Eventually.within(SOON).until("proven", () -> node.caches().health().proven());
    }
    for (Tenant tenant : TENANTS) {
      for (int i = 0; i < 1_000; i++) {
        points.add(tenant.id(), i * 10L * ClusterNode.SECOND, Map.of(), i);
      }
    }
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private ClusterNode node() {
    return ClusterNode.open(
        cluster.uri(), points, clock, UnaryOperator.identity(), new FakeTicker());
  }

  @Test
  void windows_ofTenantsOnAllMasters_areSharedAndVoided() {
    assertThat(TENANTS.stream().map(tenant -> cluster.masterOf(key(tenant))).distinct()).hasSize(3);
    for (int i = 0; i < TENANTS.size(); i++) {
      Tenant tenant = TENANTS.get(i);
      assertThat(ask(tenant, one).fetched()).isEqualTo(1_000);
      long stored = 2L * (i + 1);
      Eventually.within(SOON)
          .until("stored", () -> one.series().statistics().segmentsStored() >= stored);
      TimeSeriesResult shared = ask(tenant, two);
      assertThat(shared.fetched()).isZero();
      assertThat(shared.series()).isEqualTo(uncached(tenant)).isNotEmpty();
    }
    for (Tenant tenant : TENANTS) {
      points.add(tenant.id(), 555L * ClusterNode.SECOND, Map.of(), 7_000);
      Instant late = ClusterNode.at(555);
      tenant.run(() -> one.series().invalidate("m", late, late.plusNanos(1)));
      List<Series> now = uncached(tenant);
      assertThat(ask(tenant, one).series()).isEqualTo(now);
      Eventually.within(SOON).until("told", () -> ask(tenant, two).series().equals(now));
    }
  }

  /** As {@code aq:{tenant:partition}:}, by which a cluster places it. */
  private static String key(Tenant tenant) {
    return "aq:{" + tenant.id() + ":0}:s";
  }

  private static TimeSeriesResult ask(Tenant tenant, ClusterNode node) {
    return as(tenant, () -> node.series().query(ClusterNode.query(0, 10_000)));
  }

  private List<Series> uncached(Tenant tenant) {
    return as(tenant, () -> one.series().queryUncached(ClusterNode.query(0, 10_000))).series();
  }
}
