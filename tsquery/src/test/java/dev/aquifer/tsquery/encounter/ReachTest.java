package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.Encounter;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class ReachTest {
  private static final long EARLIEST = EncounterOrder.nanos(EncounterOrder.EARLIEST);

  /** Anywhere in time, mostly near to another one. */
  private static long time(RandomGenerator random, long near) {
    long time =
        random.nextInt(4) == 0
            ? random.nextLong()
            : near + (random.nextLong() >> (20 + random.nextInt(43)));
    return Math.min(Math.max(EARLIEST, time), Long.MAX_VALUE - 1);
  }

  @Test
  void since_ofWhatHasNotEnded_isBeforeItsStart() {
    Integer[] all = Reach.all();
    Proof.of("encounter-reach")
        .tries(20_000, 5_000_000)
        .each(
            random -> {
              long start = time(random, random.nextLong());
              long end = time(random, start);
              boolean open = random.nextInt(8) == 0 || end <= start;
              Encounter encounter =
                  new Encounter(
                      "a",
                      EncounterOrder.instant(start),
                      open ? null : EncounterOrder.instant(end));
              int reach = Reach.of(encounter);
              long time = time(random, open || random.nextBoolean() ? start : end);
              long since = Reach.since(time)[Arrays.asList(all).indexOf(reach)];
              if (open || end > time) {
                assertThat(start).as("%s at %d", encounter, time).isGreaterThan(since);
              }
              // What is looked at in vain began no longer before than twice its length, or a
              // second.
              if (!open && reach < Long.SIZE - 1 && since > Long.MIN_VALUE) {
                assertThat((double) (time - since))
                    .isLessThanOrEqualTo(Math.max(2.0 * (end - start), 1L << 30));
              }
            });
  }
}
