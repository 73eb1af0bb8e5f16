package dev.aquifer.cache;

/**
 * What the clock of Redis shows, estimated from its answers: the time that entries end at is told
 * in it, so that no node's own clock matters. An estimate never says more time is left than there
 * is: it is early where an end is written, late where it is read. Thread-safe.
 *
 * <p>Which value is current does not depend on it; only how long memory keeps one does.
 */
final class ServerClock {
  private volatile Sample sample = new Sample(0, 0, 0);

  private record Sample(long sent, long received, long micros) {}

  /**
   * An answer.
   *
   * @param sent when it was asked for, in nanoseconds of the process's clock
   * @param received when it came
   * @param micros what it was
   */
  void answered(long sent, long received, long micros) {
    sample = new Sample(sent, received, micros);
  }

  /** Whether there was an answer yet. */
  boolean known() {
    return sample.micros > 0;
  }

  /** In milliseconds, or a little less. */
  long atLeast(long nanos) {
    Sample last = sample;
    return Math.floorDiv(last.micros + (nanos - last.received) / 1000, 1000);
  }

  /** In milliseconds, or a little more. */
  long atMost(long nanos) {
    Sample last = sample;
    return Math.floorDiv(last.micros + (nanos - last.sent) / 1000, 1000) + 1;
  }
}
