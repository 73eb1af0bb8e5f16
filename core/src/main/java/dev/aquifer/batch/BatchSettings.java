package dev.aquifer.batch;

import dev.aquifer.ConfigurationException;
import java.time.Duration;

/**
 * The settings of a batcher. Immutable; {@link #builder()} starts from the defaults.
 *
 * @param maxItems the most items of a batch, 500 by default
 * @param linger how long an item may wait for others, 5 ms by default; zero: it goes at once where
 *     the sink is idle
 * @param target how long a batch should take, 50 ms by default: batches grow by steps while full
 *     ones take less, and are halved when one takes longer or fails; zero: batches always take up
 *     to {@code maxItems}
 * @param parallel how many batches may be under way at a time, 1 by default
 * @param capacity how many items may be waiting or under way, 10,000 by default
 * @param patience how long a caller waits for room, 1 s by default; zero: it is refused at once
 * @param sendTimeout how long a batch may take until it fails, 30 s by default
 * @param closeTimeout how long closing waits for what is left, 10 s by default
 * @param retry whether failed batches are sent again, by default not
 */
public record BatchSettings(
    int maxItems,
    Duration linger,
    Duration target,
    int parallel,
    int capacity,
    Duration patience,
    Duration sendTimeout,
    Duration closeTimeout,
    BatchRetry retry) {
  /** Checks the values. */
  public BatchSettings {
    within("maxItems", maxItems, 100_000);
    within("parallel", parallel, 1_000);
    within("capacity", capacity, 10_000_000);
    within("linger", linger, Duration.ZERO);
    within("target", target, Duration.ZERO);
    within("patience", patience, Duration.ZERO);
    within("sendTimeout", sendTimeout, Duration.ofMillis(1));
    within("closeTimeout", closeTimeout, Duration.ZERO);
    if (capacity < maxItems) {
      throw new ConfigurationException(
          "capacity %d is less than maxItems %d, so no batch could ever be full."
              .formatted(capacity, maxItems));
    }
  }

  /** The defaults. */
  public static BatchSettings defaults() {
    return builder().build();
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  private static void within(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new ConfigurationException("%s is %d; use 1 to %,d.".formatted(name, value, most));
    }
  }

  private static void within(String name, Duration value, Duration least) {
    if (value.compareTo(least) < 0 || value.compareTo(Duration.ofDays(1)) > 0) {
      throw new ConfigurationException("%s is %s; use %s to PT24H.".formatted(name, value, least));
    }
  }

  /** Collects the settings of a batcher. Not thread-safe. */
  public static final class Builder {
    private int maxItems = 500;
    private Duration linger = Duration.ofMillis(5);
    private Duration target = Duration.ofMillis(50);
    private int parallel = 1;
    private int capacity = 10_000;
    private Duration patience = Duration.ofSeconds(1);
    private Duration sendTimeout = Duration.ofSeconds(30);
    private Duration closeTimeout = Duration.ofSeconds(10);
    private BatchRetry retry = BatchRetry.none();

    private Builder() {}

    /** 1 to 100,000. */
    public Builder maxItems(int items) {
      this.maxItems = items;
      return this;
    }

    /** Zero to a day. */
    public Builder linger(Duration linger) {
      this.linger = linger;
      return this;
    }

    /** Zero to a day. */
    public Builder target(Duration target) {
      this.target = target;
      return this;
    }

    /** 1 to 1,000. */
    public Builder parallel(int batches) {
      this.parallel = batches;
      return this;
    }

    /** {@code maxItems} to 10,000,000. */
    public Builder capacity(int items) {
      this.capacity = items;
      return this;
    }

    /** Zero to a day. */
    public Builder patience(Duration patience) {
      this.patience = patience;
      return this;
    }

    /** 1 ms to a day. */
    public Builder sendTimeout(Duration timeout) {
      this.sendTimeout = timeout;
      return this;
    }

    /** Zero to a day. */
    public Builder closeTimeout(Duration timeout) {
      this.closeTimeout = timeout;
      return this;
    }

    /** {@link BatchRetry#none()} by default. */
    public Builder retry(BatchRetry retry) {
      this.retry = retry;
      return this;
    }

    /**
     * The settings.
     *
     * @throws ConfigurationException when a value is out of range or two contradict each other
     */
    public BatchSettings build() {
      return new BatchSettings(
          maxItems, linger, target, parallel, capacity, patience, sendTimeout, closeTimeout, retry);
    }
  }
}
