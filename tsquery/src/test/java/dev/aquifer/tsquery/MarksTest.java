package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MarksTest {
  private static final int LENGTH = Segment.LENGTH;

  @Test
  void runs_tellWhatEachWindowTold() {
    Random random = new Random(5);
    for (int round = 0; round < 200; round++) {
      long[] at = new long[LENGTH];
      long[] until = new long[LENGTH];
      for (int i = 0; i < LENGTH; i++) {
        boolean again = i > 0 && random.nextInt(8) > 0;
        at[i] = again ? at[i - 1] : random.nextInt(4) == 0 ? Segment.UNKNOWN : random.nextInt(50);
        until[i] =
            again ? until[i - 1] : random.nextInt(3) == 0 ? Segment.FOR_GOOD : random.nextInt(99);
      }
      Marks marks = Marks.of(at, until);
      for (int i = 0; i < LENGTH; i++) {
        boolean known = at[i] != Segment.UNKNOWN;
        boolean good = known && until[i] == Segment.FOR_GOOD;
        assertThat(marks.settled(i)).isEqualTo(good);
        assertThat(marks.fresh(i, 40)).isEqualTo(good || (known && at[i] <= 40 && 40 < until[i]));
        // What stays for good may say that it is newer than it is, never older.
        assertThat(marks.fetchedAt()[i]).isGreaterThanOrEqualTo(at[i]);
        if (!good) {
          assertThat(marks.fetchedAt()[i]).isEqualTo(at[i]);
        }
      }
      assertThat(marks.whole()).isEqualTo(Arrays.stream(at).noneMatch(a -> a == Segment.UNKNOWN));
    }
  }

  @Test
  void without_leavesTheOthers() {
    long[] at = new long[LENGTH];
    long[] until = new long[LENGTH];
    Arrays.fill(until, Segment.FOR_GOOD);
    Marks marks = Marks.of(at, until);
    Marks less = marks.without(3, 5);
    assertThat(less.whole()).isFalse();
    assertThat(less.fresh(2, 9)).isTrue();
    assertThat(less.fresh(3, 9)).isFalse();
    assertThat(less.settled(4)).isFalse();
    assertThat(less.settled(5)).isTrue();
    assertThat(less.without(0, LENGTH).none()).isTrue();
    assertThat(marks.whole()).isTrue();
  }

  @Test
  void goodFor_ofTheWindowsThatAreKnown_isTheLongest() {
    long[] at = new long[LENGTH];
    long[] until = new long[LENGTH];
    Arrays.fill(until, 500);
    until[7] = 900;
    assertThat(Marks.of(at, until).goodFor(100)).isEqualTo(800);
    at[7] = Segment.UNKNOWN;
    assertThat(Marks.of(at, until).goodFor(100)).isEqualTo(400);
    assertThat(Marks.of(at, until).goodFor(600)).isZero();
    assertThat(Marks.NONE.goodFor(100)).isZero();
    until[8] = Segment.FOR_GOOD;
    assertThat(Marks.of(at, until).goodFor(100)).isEqualTo(Segment.FOR_GOOD);
  }
}
