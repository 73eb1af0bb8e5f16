package dev.aquifer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ReadFloorTest {
  private static Position at(int timeline, long lsn) {
    return new Position(1, timeline, lsn);
  }

  @Test
  void covers_needsBytesAndTimeline() {
    assertThat(at(1, 100).covers(at(1, 100))).isTrue();
    assertThat(at(1, 99).covers(at(1, 100))).isFalse();
    assertThat(at(2, 100).covers(at(1, 100))).isTrue();
    assertThat(at(2, 50).covers(at(1, 100)))
        .as("a promoted line that has not come that far")
        .isFalse();
    assertThat(at(1, 500).covers(at(2, 100))).as("a line that was left").isFalse();
    assertThat(new Position(2, 9, 500).covers(at(1, 1))).as("another cluster").isFalse();
  }

  @Test
  void covers_comparesBytesUnsigned() {
    assertThat(at(1, -1L).covers(at(1, 1))).isTrue();
  }

  @Test
  void max_coversBoth() {
    Position mixed = at(2, 50).max(at(1, 100));
    assertThat(mixed).isEqualTo(at(2, 100));
    assertThat(mixed.covers(at(2, 50)) && mixed.covers(at(1, 100))).isTrue();
  }

  @Test
  void and_addsDemands() {
    ReadFloor both = ReadFloor.at(at(1, 100)).and(ReadFloor.after(5)).and(ReadFloor.after(3));
    assertThat(both).isEqualTo(new ReadFloor(at(1, 100), 5, true));
    assertThat(ReadFloor.NONE.and(both)).isSameAs(both);
    assertThat(both.and(ReadFloor.NONE)).isSameAs(both);
    assertThat(ReadFloor.NONE.isNone()).isTrue();
  }

  @Test
  void and_survivesTheClocksOverflow() {
    ReadFloor later = ReadFloor.after(Long.MIN_VALUE + 5).and(ReadFloor.after(Long.MAX_VALUE - 5));
    assertThat(later.after()).isEqualTo(Long.MIN_VALUE + 5);
  }

  @Test
  void parseLsn_readsWhatFormatWrites() {
    for (long lsn : new long[] {0, 1, 0x16_B374_D848L, -1L}) {
      assertThat(Position.parseLsn(Position.formatLsn(lsn))).isEqualTo(lsn);
    }
    for (String text : new String[] {"", "/", "1/", "/1", "1/123456789", "g/1", "1/ 1\n"}) {
      assertThatThrownBy(() -> Position.parseLsn(text))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("Not a log sequence number");
    }
  }
}
