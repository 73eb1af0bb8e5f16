package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.Timeline;
import dev.aquifer.testkit.Proof;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WrittenTimesTest {
  @Test
  void ranges_ofFewTimes_areThoseTimes() {
    assertThat(WrittenTimes.spans(new long[] {7, -3, 7}))
        .containsExactly(new Timeline.Span(-3, -2), new Timeline.Span(7, 8));
    assertThat(WrittenTimes.spans(new long[0])).isEmpty();
  }

  @Test
  void ranges_ofManyTimes_areFewHoldAllAndKeepTheLargestGaps() {
    Proof.of("written-times")
        .tries(500, 100_000)
        .each(
            random -> {
              int bits = random.nextInt(1, 62);
              long[] times =
                  random.longs(random.nextInt(1, 200)).map(time -> time >> bits).toArray();
              List<Timeline.Span> ranges = WrittenTimes.spans(times);
              assertThat(ranges).hasSizeLessThanOrEqualTo(WrittenTimes.MOST);
              for (long time : times) {
                assertThat(ranges)
                    .filteredOn(each -> each.start() <= time && time < each.stop())
                    .hasSize(1);
              }
              if (Arrays.stream(times).distinct().count() <= WrittenTimes.MOST) {
                assertThat(ranges).allMatch(each -> each.stop() - each.start() == 1);
              }
            });
  }
}
