package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class MemoryLimitsTest {
  @Test
  void of_oneLeavesItsPartIdle_theOtherBorrowsIt() {
    assertThat(MemoryLimits.of(1000, new double[] {1, 1}, new long[] {100, 5000}))
        .containsExactly(100, 900);
    assertThat(MemoryLimits.of(1000, new double[] {1, 1}, new long[] {400, 5000}))
        .containsExactly(400, 600);
    assertThat(MemoryLimits.of(1000, new double[] {1, 1}, new long[] {5000, 5000}))
        .containsExactly(500, 500);
  }

  @Test
  void of_severalWantMore_idleIsLentByWeight() {
    assertThat(MemoryLimits.of(1000, new double[] {5, 1, 4}, new long[] {0, 5000, 5000}))
        .containsExactly(0, 200, 800);
    assertThat(MemoryLimits.of(1000, new double[] {5, 1, 4}, new long[] {0, 5000, 450}))
        .containsExactly(0, 550, 450);
  }

  @Test
  void of_nobodyThere_firstHasAll() {
    assertThat(MemoryLimits.of(1000, new double[] {0, 0}, new long[] {0, 7}))
        .containsExactly(1000, 0);
  }

  @RepeatedTest(500)
  void of_anything_floorsAreGrantedAndTheSumIsBounded(RepetitionInfo round) {
    Random random = new Random(round.getCurrentRepetition());
    int count = 1 + random.nextInt(70);
    long total = random.nextInt(4) == 0 ? random.nextInt(100) : random.nextLong(1L << 40);
    double[] weights = new double[count];
    long[] wanted = new long[count];
    for (int i = 0; i < count; i++) {
      weights[i] = random.nextInt(5) == 0 ? 0 : Math.pow(10, random.nextDouble(-3, 6));
      wanted[i] = random.nextInt(5) == 0 ? 0 : random.nextLong(Math.max(1, total / 2) + 1);
    }
    long[] limits = MemoryLimits.of(total, weights, wanted);
    double all = Arrays.stream(weights).sum();

    long sum = 0;
    boolean allServed = true;
    for (int i = 0; i < count; i++) {
      sum += limits[i];
      assertThat(limits[i]).isNotNegative();
      allServed &= limits[i] >= wanted[i] || weights[i] == 0;
      if (all > 0) {
        assertThat(limits[i])
            .isGreaterThanOrEqualTo(Math.min(wanted[i], MemoryLimits.part(total, weights[i], all)));
      }
    }
    assertThat(sum).isLessThanOrEqualTo(total);
    // While anybody wants more, nothing but what rounding leaves stays idle.
    if (!allServed) {
      assertThat(total - sum).isLessThanOrEqualTo(2L * count + total / (1L << 40));
    }
  }
}
