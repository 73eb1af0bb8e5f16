package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.CausalSession;
import dev.aquifer.MissingTenantException;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.batch.BatchSettings;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@RedisTest
class CacheWriterTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final BatchSettings SETTINGS =
      BatchSettings.builder()
          .maxItems(100)
          .target(Duration.ZERO)
          .linger(Duration.ofHours(1))
          .build();

  private final RedisDatabase redis;
  private final Map<String, Flight> source = new ConcurrentHashMap<>();
  private final List<Map<Long, Flight>> writes = new CopyOnWriteArrayList<>();

  CacheWriterTest(RedisDatabase redis) {
    this.redis = redis;
  }

  @BeforeEach
  void flush() {
    redis.flush();
  }

  private TestNode node() {
    return TestNode.open(
        redis.uri().toString(),
        b ->
            b.remoteTimeout(SOON)
                .leaseTime(SOON.multipliedBy(2))
                .silenceLimit(SOON.multipliedBy(3)));
  }

  private void store(Map<Long, Flight> values) {
    writes.add(Map.copyOf(values));
    values.forEach((key, value) -> source.put(TenantContext.require() + "/" + key, value));
  }

  private Flight load(Long id) {
    return source.get(TenantContext.require() + "/" + id);
  }

  private static Flight flight(long id, int delay) {
    return new Flight(id, "HNL", delay);
  }

  private static CompletableFuture<?> write(CacheWriter<Long, Flight> writer, Flight value) {
    return TestNode.as(() -> writer.write(value.id(), value));
  }

  private static void done(CacheWriter<Long, Flight> writer) throws Exception {
    writer.flush().get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void writes_areOneOfTheSourceAndThenInBothTiers() throws Exception {
    try (TestNode one = node();
        TestNode two = node();
        CacheWriter<Long, Flight> writer = one.flights().writer(this::store, SETTINGS)) {
      one.read(1, id -> flight(id, 0));
      two.read(1, id -> flight(id, 0));
      List<CompletableFuture<?>> all = new ArrayList<>();
      LongStream.range(0, 10).forEach(id -> all.add(write(writer, flight(id, 1))));
      all.add(write(writer, flight(1, 2)));
      assertThat(all).noneMatch(CompletableFuture::isDone);
      done(writer);
      assertThat(all).allMatch(each -> each.isDone() && !each.isCompletedExceptionally());
      assertThat(writes).hasSize(1);
      assertThat(writes.get(0)).hasSize(10).containsEntry(1L, flight(1, 2));
      for (long id = 0; id < 10; id++) {
        assertThat(TestNode.as(() -> one.flights().getIfPresent(1L))).isEqualTo(flight(1, 2));
      }
      Eventually.within(SOON)
          .until(
              "stored",
              () ->
                  LongStream.range(0, 10)
                      .allMatch(id -> TestNode.as(() -> two.flights().getIfPresent(id)) != null));
      assertThat(two.read(1, id -> flight(id, -1))).isEqualTo(flight(1, 2));
      assertThat(two.read(9, id -> flight(id, -1))).isEqualTo(flight(9, 1));
    }
  }

  @Test
  void failedSource_voidsTheKeysAllTheSameAndFailsTheWrites() throws Exception {
    try (TestNode node = node();
        CacheWriter<Long, Flight> writer =
            node.flights()
                .writer(
                    values -> {
                      store(Map.copyOf(values));
                      throw new IllegalStateException("connection lost in commit");
                    },
                    SETTINGS)) {
      node.read(1, id -> flight(id, 0));
      CompletableFuture<?> written = write(writer, flight(1, 1));
      done(writer);
      assertThatThrownBy(written::join).hasRootCauseMessage("connection lost in commit");
      assertThat(node.read(1, this::load)).isEqualTo(flight(1, 1));
    }
  }

  @Test
  void value_thatAnotherNodeOverwroteMeanwhile_isNotStored() throws Exception {
    // Without the comparison with the sequence before the write, it would be, until it expires.
    try (TestNode one = node();
        TestNode two = node();
        CacheWriter<Long, Flight> writer =
            one.flights()
                .writer(
                    values -> {
                      store(values);
                      source.put(DFW + "/1", flight(1, 2));
                      DFW.run(() -> two.flights().invalidate(1L));
                    },
                    SETTINGS)) {
      write(writer, flight(1, 1)).isDone();
      done(writer);
      assertThat(one.read(1, this::load)).isEqualTo(flight(1, 2));
      assertThat(two.read(1, this::load)).isEqualTo(flight(1, 2));
    }
  }

  @Test
  void tenants_areWrittenApartAndUnderTheirOwn() throws Exception {
    Tenant lax = Tenant.of("LAX");
    try (TestNode node = node();
        CacheWriter<Long, Flight> writer = node.flights().writer(this::store, SETTINGS)) {
      CompletableFuture<?> mine = write(writer, flight(1, 1));
      CompletableFuture<?> theirs = lax.call(() -> writer.write(1L, flight(1, 2)));
      assertThatThrownBy(() -> writer.write(1L, flight(1, 3)))
          .isInstanceOf(MissingTenantException.class);
      done(writer);
      assertThat(mine).isCompleted();
      assertThat(theirs).isCompleted();
      assertThat(source)
          .containsEntry("DFW/1", flight(1, 1))
          .containsEntry("LAX/1", flight(1, 2))
          .hasSize(2);
      assertThat(node.read(1, this::load)).isEqualTo(flight(1, 1));
      assertThat(lax.call(() -> node.flights().get(1L, this::load))).isEqualTo(flight(1, 2));
    }
  }

  @Test
  void session_thatWrote_isShownItsWriteEverywhere() throws Exception {
    try (TestNode one = node();
        TestNode two = node();
        CacheWriter<Long, Flight> writer = one.flights().writer(this::store, SETTINGS)) {
      two.read(1, id -> flight(id, 0));
      CausalSession session = one.sessions().open();
      one.sessions().call(session, () -> write(writer, flight(1, 1)));
      done(writer);
      assertThat(two.read(session, 1, this::load)).isEqualTo(flight(1, 1));
    }
  }

  @Test
  void oneTier_worksTheSame() throws Exception {
    try (Caches caches = Caches.builder().build()) {
      TieredCache<Long, Flight> cache =
          caches.cache("flight", Flight.class, CacheSettings.builder().tags(Tag.of("a")).build());
      try (CacheWriter<Long, Flight> writer = cache.writer(this::store, SETTINGS)) {
        CompletableFuture<?> written = write(writer, flight(1, 1));
        done(writer);
        assertThat(written).isCompleted();
        assertThat(TestNode.as(() -> cache.getIfPresent(1L))).isEqualTo(flight(1, 1));
      }
    }
  }
}
