package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;

class WindowGridTest {
  private static final Instant EPOCH = Instant.EPOCH;

  @Test
  void of_alignedRange_hasWholeWindowsAlone() {
    WindowGrid grid = grid(10, 0, 20, 50);

    assertThat(grid.first()).isEqualTo(2);
    assertThat(grid.end()).isEqualTo(5);
    assertThat(grid.fullFirst()).isEqualTo(2);
    assertThat(grid.fullEnd()).isEqualTo(5);
  }

  @Test
  void of_rangeInsideWindows_clipsBothEdges() {
    WindowGrid grid = grid(10, 0, 23, 51);

    assertThat(grid.first()).isEqualTo(2);
    assertThat(grid.end()).isEqualTo(6);
    assertThat(grid.fullFirst()).isEqualTo(3);
    assertThat(grid.fullEnd()).isEqualTo(5);
    assertThat(range(grid, 2, 3)).isEqualTo(seconds(23, 30));
    assertThat(range(grid, 5, 6)).isEqualTo(seconds(50, 51));
    assertThat(range(grid, 2, 6)).isEqualTo(seconds(23, 51));
  }

  @Test
  void of_rangeWithinOneWindow_hasNoWholeWindow() {
    WindowGrid grid = grid(10, 0, 23, 27);

    assertThat(grid.size()).isEqualTo(1);
    assertThat(grid.clipped(2)).isTrue();
    assertThat(grid.fullFirst()).isGreaterThanOrEqualTo(grid.fullEnd());
  }

  @Test
  void of_stopOneNanosecondPastAnEdge_hasOneMoreClippedWindow() {
    TimeRange range = new TimeRange(EPOCH, EPOCH.plusSeconds(10).plusNanos(1));
    WindowGrid grid = WindowGrid.of(window(10, 0), range, QueryLimits.defaults(), 1);

    assertThat(grid.size()).isEqualTo(2);
    assertThat(grid.clipped(1)).isTrue();
    assertThat(range(grid, 1, 2).stop()).isEqualTo(EPOCH.plusSeconds(10).plusNanos(1));
  }

  @Test
  void of_offset_movesTheEdges() {
    WindowGrid grid = grid(10, 3, 3, 23);

    assertThat(grid.first()).isZero();
    assertThat(grid.start(0)).isEqualTo(3 * Nanos.PER_SECOND);
    assertThat(grid.size()).isEqualTo(2);
    assertThat(grid.clipped(0)).isFalse();
  }

  @Test
  void of_negativeOffset_isTheEqualPositiveOne() {
    assertThat(window(86_400, -3 * 3_600).offset()).isEqualTo(Step.of(Duration.ofHours(21)));
    assertThat(window(10, 33).offset()).isEqualTo(Step.of(Duration.ofSeconds(3)));
  }

  @Test
  void of_beforeTheEpoch_floors() {
    WindowGrid grid = grid(10, 3, -12, -1);

    assertThat(grid.first()).isEqualTo(-2);
    assertThat(grid.start(-2)).isEqualTo(-17 * Nanos.PER_SECOND);
    assertThat(grid.end()).isZero();
    assertThat(grid.fullFirst()).isEqualTo(-1);
    assertThat(grid.fullEnd()).isEqualTo(-1);
  }

  @Test
  void of_everyNanosecondOfSmallRanges_coversTheRangeExactly() {
    for (int every = 1; every <= 5; every++) {
      for (int offset = 0; offset < every; offset++) {
        for (int start = -12; start < 12; start++) {
          for (int stop = start + 1; stop < start + 14; stop++) {
            coversExactly(every, offset, start, stop);
          }
        }
      }
    }
  }

  @Test
  void of_emptyOrReversedRange_isRefused() {
    assertThatThrownBy(() -> seconds(5, 5))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("empty");
    assertThatThrownBy(() -> seconds(6, 5)).isInstanceOf(RefusedQueryException.class);
  }

  @Test
  void of_timeBeyondNanoseconds_isRefused() {
    Instant far = Instant.parse("9999-01-01T00:00:00Z");
    assertThatThrownBy(() -> new TimeRange(EPOCH, far))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("9999");
    TimeRange last =
        new TimeRange(
            Instant.ofEpochSecond(0, Long.MAX_VALUE - 5), Instant.ofEpochSecond(0, Long.MAX_VALUE));
    assertThatThrownBy(() -> WindowGrid.of(window(7, 0), last, QueryLimits.defaults(), 1))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("64-bit");
  }

  @Test
  void of_windowBomb_isRefusedWithTheFigures() {
    TimeRange range = new TimeRange(EPOCH, EPOCH.plus(Duration.ofDays(90)));
    Window milli = new Window(Duration.ofMillis(1), Duration.ZERO);
    assertThatThrownBy(() -> WindowGrid.of(milli, range, QueryLimits.defaults(), 1))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("7,776,000,000")
        .hasMessageContaining("100,000");
  }

  @Test
  void of_windowBombInAZone_isRefusedBeforeAnyEdgeIsLaidOut() {
    TimeRange range = new TimeRange(EPOCH, EPOCH.plus(Duration.ofDays(90)));
    Window bomb =
        new Window(
            Step.of(Duration.ofNanos(1)),
            Step.of(Duration.ofNanos(100)),
            Step.ZERO,
            ZoneId.of("Europe/Berlin"));
    assertThatThrownBy(() -> WindowGrid.of(bomb, range, QueryLimits.defaults(), 1))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("7,776,000,000,000,099");
  }

  @Test
  void of_timesThatAZoneCannotCount_areRefused() {
    TimeRange last = TimeRange.ofNanos(Long.MAX_VALUE - 5, Long.MAX_VALUE);
    TimeRange first =
        TimeRange.ofNanos(Long.MIN_VALUE + 2_000_000_000, Long.MIN_VALUE + 2_000_000_005);
    for (String zone : List.of("Pacific/Kiritimati", "America/Los_Angeles", "Z")) {
      for (Step every : List.of(Step.of(Period.ofMonths(1)), Step.of(Duration.ofHours(1)))) {
        Window window = new Window(every, every, Step.ZERO, ZoneId.of(zone));
        for (TimeRange range : List.of(first, last)) {
          assertThatThrownBy(() -> WindowGrid.of(window, range, QueryLimits.defaults(), 1))
              .isInstanceOf(RefusedQueryException.class)
              .hasMessageContaining("64-bit");
          Track track = new Track(Tenant.of("t"), "m", "f", new Edges(window));
          Track.Part part = new Track.Part(track, 0);
          assertThat(part.indexFrom(range.startNanos())).isBetween(0, Segment.LENGTH);
          assertThat(part.indexTo(range.stopNanos())).isBetween(0, Segment.LENGTH);
        }
      }
    }
  }

  @Test
  void of_aDayThatTheClockSkips_hasOneWindowLess() {
    Step day = Step.of(Period.ofDays(1));
    TimeRange range =
        new TimeRange(Instant.parse("2011-12-29T12:00:00Z"), Instant.parse("2011-12-31T11:00:00Z"));
    WindowGrid grid =
        WindowGrid.of(
            new Window(day, day, Step.ZERO, ZoneId.of("Pacific/Apia")),
            range,
            QueryLimits.defaults(),
            1);

    assertThat(grid.size()).isEqualTo(4);
    assertThat(grid.count(grid.first(), grid.end())).isEqualTo(3);
    assertThat(grid.existing()).containsExactly(0, 2, 3);
    assertThat(grid.clipped()).isEqualTo(2);
    assertThat(grid.startingAt(grid.start(grid.first() + 1))).isEqualTo(grid.first() + 2);
  }

  @Test
  void of_rangeInAGap_hasNoWindow() {
    Window gaps =
        new Window(
            Step.of(Duration.ofSeconds(10)),
            Step.of(Duration.ofSeconds(3)),
            Step.ZERO,
            ZoneOffset.UTC);
    WindowGrid grid = WindowGrid.of(gaps, seconds(4, 9), QueryLimits.defaults(), 1);

    assertThat(grid.size()).isZero();
    assertThat(grid.stretches(grid.first(), grid.end())).isEmpty();
  }

  @Test
  void of_overlappingWindows_hasAllThatTheRangeTouches() {
    Window moving =
        new Window(
            Step.of(Duration.ofSeconds(10)),
            Step.of(Duration.ofSeconds(25)),
            Step.ZERO,
            ZoneOffset.UTC);
    WindowGrid grid = WindowGrid.of(moving, seconds(100, 155), QueryLimits.defaults(), 1);

    assertThat(grid.first()).isEqualTo(8);
    assertThat(grid.end()).isEqualTo(16);
    assertThat(grid.fullFirst()).isEqualTo(10);
    assertThat(grid.fullEnd()).isEqualTo(14);
    assertThat(grid.clipped()).isEqualTo(4);
    // Three times every third: those of no stretch overlap.
    assertThat(grid.stretches(8, 15))
        .extracting(Stretch::range)
        .containsExactly(seconds(100, 155), seconds(100, 145), seconds(100, 155));
    assertThat(grid.stretches(8, 15))
        .extracting(Stretch::every)
        .containsOnly(Duration.ofSeconds(30));
  }

  @Test
  void window_thatCannotBe_isRefused() {
    ZoneId utc = ZoneOffset.UTC;
    Step month = Step.of(Period.ofMonths(1));
    Step day = Step.of(Period.ofDays(1));
    assertThatThrownBy(() -> Step.of(Period.of(0, 1, 1)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("do not mix");
    assertThatThrownBy(() -> new Window(day, month, Step.ZERO, utc))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("P1M every PT24H");
    assertThatThrownBy(() -> new Window(day, Step.of(Period.ofDays(101)), Step.ZERO, utc))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("101 would overlap");
    assertThatThrownBy(() -> new Window(day, day, month, utc))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("offset of P1M");
    assertThatThrownBy(() -> new Window(month, month, Step.of(Duration.ofDays(28)), utc))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("shortest month");
    assertThatThrownBy(() -> new Window(Step.of(Period.ofMonths(-1)), day, Step.ZERO, utc))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("positive");
    Step ages = Step.of(Period.ofYears(200));
    assertThatThrownBy(() -> new Window(ages, ages, Step.ZERO, utc))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("146 years");
  }

  @Test
  void of_longRange_isRefused() {
    QueryLimits limits = new QueryLimits(100_000, Duration.ofDays(7), 1_000_000);
    TimeRange range = new TimeRange(EPOCH, EPOCH.plus(Duration.ofDays(7)).plusNanos(1));
    assertThatThrownBy(() -> WindowGrid.of(window(3_600, 0), range, limits, 1))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("PT168H");
  }

  @Test
  void window_zeroOrNegative_isRefused() {
    assertThatThrownBy(() -> window(0, 0)).isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> window(-1, 0)).isInstanceOf(RefusedQueryException.class);
    Duration endless = Duration.ofSeconds(Long.MAX_VALUE);
    assertThatThrownBy(() -> new Window(endless, Duration.ZERO))
        .isInstanceOf(RefusedQueryException.class);
  }

  /** Their segment would end beyond 64 bits. */
  @Test
  void of_lastNanosecondsThatThereAre_areRefused() {
    TimeRange range = TimeRange.ofNanos(Long.MAX_VALUE - 400, Long.MAX_VALUE - 10);
    Window nanosecond = new Window(Duration.ofNanos(1), Duration.ZERO);

    assertThatThrownBy(() -> WindowGrid.of(nanosecond, range, QueryLimits.defaults(), 1))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("64-bit");
  }

  @Test
  void of_moreWindowsThan64BitsCount_areRefused() {
    QueryLimits years = new QueryLimits(100_000, Duration.ofDays(400_000), 5_000_000);
    TimeRange range = TimeRange.ofNanos(-5_000_000_000_000_000_000L, 5_000_000_000_000_000_000L);
    Window nanosecond = new Window(Duration.ofNanos(1), Duration.ZERO);

    assertThatThrownBy(() -> WindowGrid.of(nanosecond, range, years, 1))
        .isInstanceOf(RefusedQueryException.class);
  }

  @Test
  void of_rangeWithALimitOfForEver_isNotRefused() {
    Duration ever = ChronoUnit.FOREVER.getDuration();
    QueryLimits limits = new QueryLimits(100_000, ever, 5_000_000);

    assertThat(WindowGrid.of(window(10, 0), seconds(20, 50), limits, 1).size()).isEqualTo(3);
  }

  private static void coversExactly(int every, int offset, int start, int stop) {
    TimeRange range = TimeRange.ofNanos(start, stop);
    Window window = new Window(Duration.ofNanos(every), Duration.ofNanos(offset));
    WindowGrid grid = WindowGrid.of(window, range, QueryLimits.defaults(), 1);
    long at = start;
    for (long bucket = grid.first(); bucket < grid.end(); bucket++) {
      TimeRange part = range(grid, bucket, bucket + 1);
      assertThat(part.startNanos()).isEqualTo(at);
      at = part.stopNanos();
      assertThat(grid.startingAt(grid.start(bucket))).isEqualTo(bucket);
      assertThat(grid.clipped(bucket)).isEqualTo(at - part.startNanos() < every);
    }
    assertThat(at).isEqualTo(stop);
  }

  private static TimeRange range(WindowGrid grid, long from, long to) {
    List<Stretch> stretches = grid.stretches(from, to);
    assertThat(stretches).hasSize(1);
    return stretches.get(0).range();
  }

  private static WindowGrid grid(long every, long offset, long start, long stop) {
    return WindowGrid.of(window(every, offset), seconds(start, stop), QueryLimits.defaults(), 1);
  }

  private static Window window(long every, long offset) {
    return new Window(Duration.ofSeconds(every), Duration.ofSeconds(offset));
  }

  private static TimeRange seconds(long start, long stop) {
    return new TimeRange(EPOCH.plusSeconds(start), EPOCH.plusSeconds(stop));
  }
}
