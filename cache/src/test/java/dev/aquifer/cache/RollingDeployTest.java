package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Nodes of two versions on one Redis: another format of entries, another shape of the same class.
 * Each finds only what its own version stored, and a key that one of them voids is void for both.
 */
@RedisTest
class RollingDeployTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final RedisDatabase redis;
  private final AtomicInteger loads = new AtomicInteger();
  private final AtomicInteger truth = new AtomicInteger(1);

  RollingDeployTest(RedisDatabase redis) {
    this.redis = redis;
  }

  @BeforeEach
  void flush() {
    redis.flush();
  }

  /** A node with a cache {@code trip}, whose entries are of this format. */
  private final class Version implements AutoCloseable {
    final TestNode node;
    final TieredCache<Long, Flight> trips;

    Version(int format) {
      node =
          TestNode.open(
              redis.uri().toString(),
              builder ->
                  builder
                      .memoryBytes(0)
                      .remoteTimeout(SOON)
                      .leaseTime(SOON.multipliedBy(2))
                      .silenceLimit(SOON.multipliedBy(6)));
      node.guards().format = format;
      trips = node.caches().cache("trip", Flight.class, CacheSettings.defaults());
    }

    int read(long id) {
      return TestNode.as(
              () ->
                  trips.get(
                      id,
                      key -> {
                        loads.incrementAndGet();
                        return new Flight(key, "HNL", truth.get());
                      }))
          .delay();
    }

    /** What was filled has arrived: a node without memory reads it without a load. */
    void settled(long id) {
      Eventually.within(SOON)
          .until(
              "stored",
              () -> {
                int before = loads.get();
                read(id);
                return loads.get() == before;
              });
    }

    @Override
    public void close() {
      node.close();
    }
  }

  @Test
  void twoFormats_findTheirOwnEntriesAndRefillNothing() {
    try (Version present = new Version(Envelope.FORMAT);
        Version next = new Version(Envelope.FORMAT + 1)) {
      present.settled(1);
      next.settled(1);
      int before = loads.get();
      for (int i = 0; i < 50; i++) {
        assertThat(present.read(1)).isEqualTo(1);
        assertThat(next.read(1)).isEqualTo(1);
      }
      assertThat(loads).hasValue(before);
      assertThat(present.node.faults()).isEmpty();
      assertThat(next.node.faults()).isEmpty();
    }
  }

  @Test
  void key_voidedByEitherVersion_isVoidForBoth() {
    // Without Script's gone(), which voids in all schemas, the other version's entry lives on.
    try (Version present = new Version(Envelope.FORMAT);
        Version next = new Version(Envelope.FORMAT + 1)) {
      List<Version> both = List.of(present, next);
      for (Version voiding : both) {
        both.forEach(version -> version.settled(1));
        truth.incrementAndGet();
        DFW.run(() -> voiding.trips.invalidate(1L));
        current(both);
        both.forEach(version -> version.settled(1));
        truth.incrementAndGet();
        DFW.run(() -> voiding.trips.put(1L, new Flight(1, "HNL", truth.get())));
        current(both);
      }
    }
  }

  /** Nodes that heard of the void know, so only one that did not shows what is in Redis. */
  private void current(List<Version> both) {
    for (int format : new int[] {Envelope.FORMAT, Envelope.FORMAT + 1}) {
      try (Version fresh = new Version(format)) {
        assertThat(fresh.read(1)).isEqualTo(truth.get());
      }
    }
    both.forEach(version -> assertThat(version.read(1)).isEqualTo(truth.get()));
  }

  @Test
  void fill_leasedBeforeTheOtherVersionVoidedTheKey_isRefused() throws Exception {
    // The first load of a version that nobody has heard of: its lease must be known already.
    try (Version present = new Version(Envelope.FORMAT);
        Version next = new Version(Envelope.FORMAT + 1)) {
      CountDownLatch loading = new CountDownLatch(1);
      CountDownLatch voided = new CountDownLatch(1);
      CompletableFuture<Integer> old =
          CompletableFuture.supplyAsync(
              () ->
                  TestNode.as(
                          () ->
                              next.trips.get(
                                  1L,
                                  key -> {
                                    int read = truth.get();
                                    loading.countDown();
                                    assertThat(voided.await(10, TimeUnit.SECONDS)).isTrue();
                                    return new Flight(key, "HNL", read);
                                  }))
                      .delay());
      assertThat(loading.await(10, TimeUnit.SECONDS)).isTrue();
      // So that only Redis can refuse it, and not the node that heard of the void.
      next.node.guards().overtakenLoads = false;
      truth.set(2);
      DFW.run(() -> present.trips.invalidate(1L));
      voided.countDown();
      assertThat(old.get(10, TimeUnit.SECONDS)).isEqualTo(1);
      Eventually.within(SOON)
          .until("refused", () -> next.node.faults().contains(CacheFault.FILL_REFUSED));
      current(List.of(present, next));
    }
  }

  @Test
  void entryOfTheNextFormat_inThePlaceOfThisOne_isForeignAndNotDamaged() throws Exception {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (Version present = new Version(Envelope.FORMAT);
        StatefulRedisConnection<byte[], byte[]> raw = client.connect(ByteArrayCodec.INSTANCE)) {
      present.settled(1);
      byte[] key = raw.sync().keys("aq:{DFW:0}:v:*").get(0);
      byte[] entry = raw.sync().get(key);
      assertThat(entry).isNotNull();
      entry[3]++;
      raw.sync().set(key, entry);
      int before = loads.get();
      assertThat(present.read(1)).isEqualTo(1);
      assertThat(loads).hasValue(before + 1);
      assertThat(present.node.faults()).containsOnly(CacheFault.FOREIGN);
      present.settled(1);
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  @Test
  void voids_ofKindsToCome_voidEverything() {
    // A text or a kind that this version does not know must never be skipped.
    assertThat(Names.read("3:t:a3:k:b")).containsExactly("t:a", "k:b");
    for (String text :
        List.of(
            "3:t:a4:z:b?", "1:y", "x", "3:t:a;", "3:t:a99:t:b", "-1:", "2:t", ":", "1234567:a")) {
      assertThat(Names.read(text)).as(text).contains(Partition.ALL);
    }
  }
}
