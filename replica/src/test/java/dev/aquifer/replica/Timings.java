package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;

/** How long something took each time, for what a proof tells of it. Thread-safe. */
final class Timings {
  private static final int MANY = 20;

  private final List<Long> nanos = new CopyOnWriteArrayList<>();

  void add(long took) {
    nanos.add(took);
  }

  /** Milliseconds; {@code part} of all took no longer. Zero when there are none. */
  double millis(double part) {
    List<Long> sorted = nanos.stream().sorted().toList();
    if (sorted.isEmpty()) {
      return 0;
    }
    int index = (int) Math.ceil(part * sorted.size()) - 1;
    return sorted.get(Math.max(0, index)) / 1e6;
  }

  /**
   * Of many, half must be within the aim also where the machine is busy; of few, nothing is said.
   */
  void requireMedian(String what, Duration aim) {
    if (nanos.size() >= MANY) {
      assertThat(millis(0.5)).as("half of " + what).isLessThanOrEqualTo(aim.toNanos() / 1e6);
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "p50 %.1f ms, p99 %.1f ms, longest %.1f ms of %d",
        millis(0.5),
        millis(0.99),
        millis(1),
        nanos.size());
  }
}
