package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R10, herds: what was filled together must not expire together, and where one loads for all and
 * dies, another takes over. Guards: the jitter of every time to live, and the lease, whose late
 * holder fills nothing ({@link Guards#leases}).
 */
class R10HerdTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @Test
  void filledTogether_expireApart() {
    Duration ttl = Duration.ofMinutes(10);
    Set<Long> ids = LongStream.range(0, 200).boxed().collect(Collectors.toSet());
    TestNode.as(
        () ->
            one.flights()
                .getAll(
                    ids,
                    wanted -> {
                      Map<Long, Flight> all = new HashMap<>();
                      wanted.forEach(id -> all.put(id, load(id)));
                      return all;
                    }));
    // Callers have their values before these are on their way to Redis.
    Eventually.within(SOON)
        .until("filled", () -> ((List<?>) redis().command("KEYS", "aq:{DFW:0}:v:*")).size() == 200);
    List<?> entries = (List<?>) redis().command("KEYS", "aq:{DFW:0}:v:*");
    LongSummaryStatistics left =
        entries.stream()
            .mapToLong(entry -> (Long) redis().command("PTTL", entry.toString()))
            .summaryStatistics();
    long millis = ttl.toMillis();
    assertThat(left.getMax()).isLessThanOrEqualTo(millis * 11 / 10);
    // Of 200 evenly spread over a fifth of it; without jitter they lie within milliseconds.
    assertThat(left.getMax() - left.getMin()).isGreaterThan(millis / 10);
  }

  @Test
  void holderOfTheLeaseDies_anotherTakesOverAndTheLateFillIsRefused() throws Exception {
    assertThat(lateFillStands(true)).isFalse();
  }

  @Test
  void holderOfTheLeaseDies_withoutLeases_theLateFillStands() throws Exception {
    assertThat(lateFillStands(false)).isTrue();
  }

  /** Node two holds the lease, and nothing of it is heard until another has loaded and filled. */
  private boolean lateFillStands(boolean guarded) throws Exception {
    try (FaultProxy proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
        TestNode slow = TestNode.open(TestNode.through(proxy, REDIS.database()));
        HeldLoad held = new HeldLoad()) {
      slow.guards().leases = guarded;
      held.begin(() -> slow.read(1, id -> held.hold(load(id))));
      proxy.refuse();
      proxy.reset();
      row.set(NEW);
      long begun = System.nanoTime();
      assertThat(read(one, 1)).isEqualTo(NEW);
      assertThat(Duration.ofNanos(System.nanoTime() - begun))
          .isBetween(Duration.ofMillis(2_500), SOON);
      assertThat(loads).hasValue(2);
      awaitStored(two, 1);
      proxy.heal();
      Eventually.within(SOON).until("back", () -> slow.caches().health().proven());
      held.end();
      if (guarded) {
        Eventually.within(SOON)
            .until("told", () -> slow.faults().contains(CacheFault.FILL_REFUSED));
      }
      sync(slow);
      try (TestNode three = TestNode.open(uri())) {
        return DFW.call(() -> three.flights().getIfPresent(1L)).delay() != NEW;
      }
    }
  }
}
