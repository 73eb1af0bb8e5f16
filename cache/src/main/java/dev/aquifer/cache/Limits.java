package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;

/**
 * What one tenant may do at a time, so that it takes from no other. Immutable; {@link #builder()}
 * starts from no limits.
 *
 * @param loadsPerSecond calls of loaders, 0: no limit; a bulk loader's call counts once
 * @param loadBurst how many of them at once, after a pause
 * @param shared whether the nodes on one Redis share {@code loadsPerSecond} and {@code
 *     invalidationsPerSecond}; while Redis does not answer each node allows as much by itself
 * @param concurrentLoads how many loaders of a tenant run at a time on this node, 0: no limit
 * @param queuedLoads how many more wait for their turn, within their load timeout
 * @param invalidationsPerSecond round trips to Redis that void something, 0: no limit
 * @param invalidationBurst how many of them at once, after a pause
 */
public record Limits(
    int loadsPerSecond,
    int loadBurst,
    boolean shared,
    int concurrentLoads,
    int queuedLoads,
    int invalidationsPerSecond,
    int invalidationBurst) {
  /** No limits. */
  public static final Limits NONE = builder().build();

  /** A bucket that is full again after this is forgotten when it was not used for as long. */
  static final int LONGEST_FILL_SECONDS = 600;

  /** Checks the values. */
  public Limits {
    rate("loads", loadsPerSecond, loadBurst);
    rate("invalidations", invalidationsPerSecond, invalidationBurst);
    if (concurrentLoads < 0 || queuedLoads < 0 || (concurrentLoads == 0 && queuedLoads > 0)) {
      throw new ConfigurationException(
          "concurrentLoads is %d, queuedLoads is %d; use 0 or more, and no queue without a limit."
              .formatted(concurrentLoads, queuedLoads));
    }
    if (shared && loadsPerSecond == 0 && invalidationsPerSecond == 0) {
      throw new ConfigurationException(
          "shared is set, loadsPerSecond is 0 and invalidationsPerSecond is 0: there is no limit that nodes could share.");
    }
  }

  /** A builder without limits. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the limits of a tenant. Not thread-safe. */
  public static final class Builder {
    private int loadsPerSecond;
    private int loadBurst;
    private boolean shared;
    private int concurrentLoads;
    private int queuedLoads;
    private int invalidationsPerSecond;
    private int invalidationBurst;

    private Builder() {}

    /**
     * How many loads begin in a second; what is over it fails with a {@link
     * dev.aquifer.TenantLimitException}.
     *
     * @param burst from {@code perSecond}, or less, to 600 times as many
     */
    public Builder loads(int perSecond, int burst) {
      this.loadsPerSecond = perSecond;
      this.loadBurst = burst;
      return this;
    }

    /**
     * Whether the nodes on one Redis share the limits of loads and of invalidations a second; false
     * by default.
     */
    public Builder shared(boolean shared) {
      this.shared = shared;
      return this;
    }

    /**
     * How many loads run at a time on this node, and how many wait for them; what finds the queue
     * full fails with a {@link dev.aquifer.TenantLimitException}. A load that a load waits for is
     * never made to wait.
     */
    public Builder concurrentLoads(int concurrent, int queued) {
      this.concurrentLoads = concurrent;
      this.queuedLoads = queued;
      return this;
    }

    /**
     * How many voids go to Redis in a second. What is over it is neither dropped nor acknowledged
     * early: it goes out with what else the tenant voids on this node within 100 ms, as one wider
     * void where that is much.
     */
    public Builder invalidations(int perSecond, int burst) {
      this.invalidationsPerSecond = perSecond;
      this.invalidationBurst = burst;
      return this;
    }

    /**
     * The limits.
     *
     * @throws ConfigurationException when a value is out of range or two contradict each other
     */
    public Limits build() {
      return new Limits(
          loadsPerSecond,
          loadBurst,
          shared,
          concurrentLoads,
          queuedLoads,
          invalidationsPerSecond,
          invalidationBurst);
    }
  }

  private static void rate(String what, int perSecond, int burst) {
    boolean none = perSecond == 0 && burst == 0;
    if (!none && (perSecond < 1 || burst < 1 || burst > (long) perSecond * LONGEST_FILL_SECONDS)) {
      throw new ConfigurationException(
          "%s: %d per second, burst %d. Use 1 or more of both, and a burst of at most %d times the rate."
              .formatted(what, perSecond, burst, LONGEST_FILL_SECONDS));
    }
  }
}
