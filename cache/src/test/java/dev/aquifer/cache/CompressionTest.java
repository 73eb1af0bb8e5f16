package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What large values cost in Redis, and the limits at their edges. */
@RedisTest
class CompressionTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String[] CITIES = {"DFW", "LAX", "HNL", "SFO", "ORD", "JFK", "SEA", "MIA"};
  private static final String[] STATES = {
    "SCHEDULED", "BOARDING", "DEPARTED", "LANDED", "DIVERTED"
  };

  record Passenger(UUID id, String name, int row, char letter, boolean checkedIn) {}

  record Flight(
      UUID id,
      String from,
      String to,
      String state,
      Instant departure,
      Instant arrival,
      double latitude,
      double longitude,
      List<Passenger> passengers) {}

  /** Records as a service would answer them: ids and coordinates at random, words from a few. */
  private static List<Flight> flights(SplittableRandom random, int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                new Flight(
                    id(random),
                    CITIES[random.nextInt(CITIES.length)],
                    CITIES[random.nextInt(CITIES.length)],
                    STATES[random.nextInt(STATES.length)],
                    Instant.ofEpochSecond(1_790_000_000L + 60L * random.nextInt(100_000)),
                    Instant.ofEpochSecond(1_790_000_000L + 60L * random.nextInt(100_000)),
                    random.nextInt(9_000_000) / 100_000.0,
                    random.nextInt(18_000_000) / 100_000.0,
                    IntStream.range(0, 6)
                        .mapToObj(
                            p ->
                                new Passenger(
                                    id(random),
                                    "Passenger " + random.nextInt(10_000),
                                    random.nextInt(60),
                                    (char) ('A' + random.nextInt(6)),
                                    random.nextBoolean()))
                        .toList()))
        .toList();
  }

  private static UUID id(SplittableRandom random) {
    return new UUID(random.nextLong(), random.nextLong());
  }

  private static long memory(RedisDatabase redis, int compressFrom) {
    redis.flush();
    int keys = 30;
    try (TestNode node =
        TestNode.open(
            redis.uri().toString(),
            b ->
                b.remoteTimeout(SOON)
                    .leaseTime(SOON.multipliedBy(2))
                    .silenceLimit(SOON.multipliedBy(3)))) {
      TieredCache<Integer, List<Flight>> cache =
          node.caches()
              .cache(
                  "board",
                  new TypeRef<List<Flight>>() {},
                  CacheSettings.builder().codec(Codec.json()).compressFrom(compressFrom).build());
      // A value is put only into a partition that the node knows.
      node.read(1, id -> new TestNode.Flight(id, "HNL", 1));
      SplittableRandom random = new SplittableRandom(1);
      for (int key = 0; key < keys; key++) {
        int at = key;
        List<Flight> value = flights(random, 40);
        DFW.run(() -> cache.put(at, value));
      }
      Eventually.within(SOON)
          .until(
              "stored",
              () -> ((List<?>) redis.command("KEYS", "aq:{DFW:0}:v:5:board:*")).size() == keys);
      long bytes = 0;
      for (Object key : (List<?>) redis.command("KEYS", "aq:{DFW:0}:v:5:board:*")) {
        bytes += (Long) redis.command("MEMORY", "USAGE", (String) key);
      }
      return bytes;
    }
  }

  @Test
  void largeJson_takesAtMostTwoFifthsOfTheMemory(RedisDatabase redis) {
    long plain = memory(redis, Integer.MAX_VALUE);
    long compressed = memory(redis, CacheSettings.defaults().compressFrom());
    double saved = 1 - (double) compressed / plain;
    assertThat(saved).as("%,d to %,d bytes", plain, compressed).isGreaterThanOrEqualTo(0.6);
  }

  @Test
  void limits_holdAtTheirEdges(RedisDatabase redis) {
    redis.flush();
    try (TestNode node =
        TestNode.open(
            redis.uri().toString(),
            b ->
                b.memoryBytes(0)
                    .remoteTimeout(SOON)
                    .leaseTime(SOON.multipliedBy(2))
                    .silenceLimit(SOON.multipliedBy(3)))) {
      TieredCache<String, byte[]> cache =
          node.caches()
              .cache(
                  "raw",
                  byte[].class,
                  CacheSettings.builder()
                      .codec(Codec.bytes())
                      .maxValueBytes(1000)
                      .maxKeyChars(300)
                      .build());
      node.read(1, id -> new TestNode.Flight(id, "HNL", 1));
      String edge = "k".repeat(300 - KeyText.of("k".repeat(290)).length() + 290);
      assertThat(KeyText.of(edge)).hasSize(300);
      DFW.run(() -> cache.put(edge, new byte[1000]));
      Eventually.within(SOON)
          .until("stored", () -> TestNode.as(() -> cache.getIfPresent(edge)) != null);
      assertThat(node.faults()).isEmpty();
      DFW.run(() -> cache.put("large", new byte[1001]));
      assertThat(TestNode.as(() -> cache.getIfPresent("large"))).isNull();
      DFW.run(() -> cache.put("none", new byte[0]));
      Eventually.within(SOON)
          .until("stored", () -> TestNode.as(() -> cache.getIfPresent("none")) != null);
      assertThat(TestNode.as(() -> cache.get(edge + "k", key -> new byte[1]))).hasSize(1);
      assertThat(cache.statistics().faults()).isEqualTo(2);
    }
  }
}
