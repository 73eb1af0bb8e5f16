package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * How a cache is warmed: gently by default, since callers come first. Immutable; {@link #builder()}
 * starts from the defaults.
 *
 * @param batch how many keys go to the loader at once, 100 by default
 * @param concurrency how many batches are under way, 2 by default
 * @param keysPerSecond how many keys are begun in a second, 1,000 by default
 * @param attempts how often a batch that fails is tried, 3 by default
 * @param every from the end of one round to the next, of a warm-up that repeats, 30 minutes by
 *     default; varied by 10 %, so that nodes spread out
 * @param progress told after every batch, on the thread that loaded it; what it throws is ignored
 */
public record WarmUp(
    int batch,
    int concurrency,
    int keysPerSecond,
    int attempts,
    Duration every,
    Consumer<? super Progress> progress) {
  /** Checks the values. */
  public WarmUp {
    atLeastOne("batch", batch);
    atLeastOne("concurrency", concurrency);
    atLeastOne("keysPerSecond", keysPerSecond);
    atLeastOne("attempts", attempts);
    if (every.compareTo(Duration.ofMillis(100)) < 0 || every.compareTo(Duration.ofDays(30)) > 0) {
      throw new ConfigurationException("every is %s; use 100 ms to 30 days.".formatted(every));
    }
  }

  /**
   * How far it is.
   *
   * @param total keys
   * @param done keys that are in the cache now, or known to have no value
   * @param failed keys that were given up
   * @param perSecond keys done in a second, on average
   */
  public record Progress(int total, int done, int failed, double perSecond) {}

  /** The defaults. */
  public static WarmUp defaults() {
    return builder().build();
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the settings of a warm-up. Not thread-safe. */
  public static final class Builder {
    private int batch = 100;
    private int concurrency = 2;
    private int keysPerSecond = 1_000;
    private int attempts = 3;
    private Duration every = Duration.ofMinutes(30);
    private Consumer<? super Progress> progress = step -> {};

    private Builder() {}

    /** 1 or more. */
    public Builder batch(int keys) {
      this.batch = keys;
      return this;
    }

    /** 1 or more. */
    public Builder concurrency(int batches) {
      this.concurrency = batches;
      return this;
    }

    /** 1 or more. */
    public Builder keysPerSecond(int keys) {
      this.keysPerSecond = keys;
      return this;
    }

    /** 1 or more. */
    public Builder attempts(int attempts) {
      this.attempts = attempts;
      return this;
    }

    /** 100 ms to 30 days. */
    public Builder every(Duration every) {
      this.every = every;
      return this;
    }

    /** Nobody by default. */
    public Builder progress(Consumer<? super Progress> progress) {
      this.progress = progress;
      return this;
    }

    /**
     * The settings.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public WarmUp build() {
      return new WarmUp(batch, concurrency, keysPerSecond, attempts, every, progress);
    }
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new ConfigurationException("%s is %d; use 1 or more.".formatted(name, value));
    }
  }
}
