package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import org.junit.jupiter.api.Test;

class PrimaryLogTest {
  private final PrimaryLog log = new PrimaryLog(1_000);

  private static Position at(int timeline, long lsn) {
    return new Position(7, timeline, lsn);
  }

  @Test
  void bound_isTheFirstSampleBegunAfterTheMoment() {
    log.add(10, at(1, 100));
    log.add(20, at(1, 200));
    log.add(30, at(1, 300));
    assertThat(log.bound(ReadFloor.after(15))).isEqualTo(at(1, 200));
    // A sample begun at that very moment may have been answered before the commit.
    assertThat(log.bound(ReadFloor.after(20))).isEqualTo(at(1, 300));
    assertThat(log.bound(ReadFloor.after(30))).isNull();
    assertThat(log.bound(ReadFloor.after(15).and(ReadFloor.at(at(1, 250))))).isEqualTo(at(1, 250));
  }

  @Test
  void bound_ofWhatTheRingHasForgotten_isTheOldestSampleLeft() {
    for (int i = 0; i < 10_000; i++) {
      log.add(i, at(1, i));
    }
    Position bound = log.bound(ReadFloor.after(3));
    assertThat(bound).isNotNull();
    assertThat(bound.lsn()).isBetween(4L, 9_999L);
    assertThat(log.bound(ReadFloor.after(9_990))).isEqualTo(at(1, 9_991));
  }

  @Test
  void positionLostInAPromotion_becomesTheNewTimelinesBeginning() {
    log.add(10, at(1, 500));
    log.add(20, at(2, 300));
    assertThat(log.bound(ReadFloor.at(at(1, 500)))).isEqualTo(at(2, 300));
    assertThat(log.bound(ReadFloor.at(at(1, 200)))).isEqualTo(at(1, 200));
    assertThat(log.bound(ReadFloor.after(5))).isEqualTo(at(2, 300));
  }

  @Test
  void lag_isTheAgeOfTheOldestSampleAbove_zeroWhenIdle_unknownWhenStale() {
    log.add(100, at(1, 10));
    log.add(200, at(1, 20));
    log.add(300, at(1, 20));
    assertThat(log.lagNanos(at(1, 20), 350)).isZero();
    assertThat(log.lagNanos(at(1, 10), 350)).isEqualTo(150);
    assertThat(log.lagNanos(at(1, 5), 350)).isEqualTo(250);
    assertThat(log.lagNanos(at(1, 10), 2_000)).isEqualTo(-1);
    assertThat(log.lagNanos(new Position(8, 1, 10), 350)).isEqualTo(-1);
  }

  /** It still follows the old primary, which goes on writing its own log. */
  @Test
  void lag_ofAReplicaThatStayedOnTheOldTimeline_growsFromThePromotionOn() {
    log.add(100, at(1, 10));
    log.add(200, at(2, 20));
    log.add(300, at(2, 30));
    assertThat(log.lagNanos(at(1, 15), 350)).isEqualTo(150);
    assertThat(log.lagNanos(at(1, 20), 350)).isEqualTo(150);
    assertThat(log.lagNanos(at(1, 99), 350)).isEqualTo(150);
    assertThat(log.lagNanos(at(2, 30), 350)).isZero();
  }
}
