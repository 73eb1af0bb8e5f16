package dev.aquifer.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Made-up flights of a quarter in line protocol, rising in time: a few airports have most of them,
 * and each flies to a part of the others. The same in every run.
 */
final class Flights {
  private static final int COUNT = 3_000_000;
  private static final int AIRPORTS = 220;
  private static final int NEIGHBOURS = 20;

  private final String tenant;
  private final long first;
  private final long step;

  Flights(String tenant, Instant from, Instant to) {
    this.tenant = tenant;
    this.first = from.getEpochSecond();
    this.step = Duration.between(from, to).toNanos() / COUNT;
  }

  Stream<String> lines() {
    SplittableRandom random = new SplittableRandom(1);
    return IntStream.range(0, COUNT).mapToObj(i -> line(i, random));
  }

  private String line(int index, SplittableRandom random) {
    // The square of an even share: the tenth with the lowest numbers has a third of all.
    double share = random.nextDouble();
    int origin = (int) (share * share * AIRPORTS);
    int destination = (origin * 7 + 1 + random.nextInt(NEIGHBOURS)) % AIRPORTS;
    int delay = (int) Math.round(random.nextDouble() * random.nextDouble() * 90 - 10);
    return "departure,tenant=%s,origin=%s,destination=%s delay=%di,distance=%di %d"
        .formatted(
            tenant,
            airport(origin),
            airport(destination),
            delay,
            100 + (origin * 31 + destination * 17) % 2_500,
            first * 1_000_000_000 + index * step);
  }

  private static String airport(int index) {
    return "A%03d".formatted(index);
  }
}
