package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one cache. Immutable; {@link #builder()} starts from the defaults.
 *
 * @param ttl how long a value is fresh, 10 minutes by default, where no {@link
 *     LoadSettings#ttlPolicy} decides; jitter is taken off or added
 * @param negativeTtl how long the absence of a value lives, 30 seconds by default; zero: absence is
 *     not remembered
 * @param loadTimeout how long a load, and a caller that waits for it, may take, 30 seconds by
 *     default
 * @param maxValueBytes the largest encoded value that is stored, before compression, 1 MiB by
 *     default
 * @param maxKeyChars the longest key text that is stored, 1,024 by default
 * @param compressFrom from how many encoded bytes a value is compressed, 2,048 by default
 * @param remoteLoss what memory may answer while Redis cannot be heard
 * @param tags what every value of the cache depends on
 * @param codec how its values become bytes; null: as {@link CachesBuilder#codec} says
 * @param loads how loads behave, and what is done with values when their time is up or nearly so
 */
public record CacheSettings(
    Duration ttl,
    Duration negativeTtl,
    Duration loadTimeout,
    int maxValueBytes,
    int maxKeyChars,
    int compressFrom,
    RemoteLossPolicy remoteLoss,
    Set<Tag> tags,
    @Nullable Codec codec,
    LoadSettings loads) {
  private static final Duration LONGEST = Duration.ofDays(30);

  /** Checks the values. */
  public CacheSettings {
    Objects.requireNonNull(remoteLoss, "remoteLoss");
    Objects.requireNonNull(loads, "loads");
    tags = Set.copyOf(Objects.requireNonNull(tags, "tags"));
    within("ttl", ttl, Duration.ofMillis(1));
    within("negativeTtl", negativeTtl, Duration.ZERO);
    within("loadTimeout", loadTimeout, Duration.ofMillis(1));
    if (negativeTtl.compareTo(ttl) > 0) {
      throw new ConfigurationException(
          "negativeTtl %s is longer than ttl %s; absence must not outlive values."
              .formatted(negativeTtl, ttl));
    }
    Duration soft = loads.softTimeout();
    if (soft != null && soft.compareTo(loadTimeout) >= 0) {
      throw new ConfigurationException(
          "softTimeout %s is not shorter than loadTimeout %s, which ends the load."
              .formatted(soft, loadTimeout));
    }
    atLeast("maxValueBytes", maxValueBytes, 16);
    atLeast("maxKeyChars", maxKeyChars, 16);
    atLeast("compressFrom", compressFrom, 64);
  }

  /** The defaults. */
  public static CacheSettings defaults() {
    return builder().build();
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the settings of one cache. Not thread-safe. */
  public static final class Builder {
    private Duration ttl = Duration.ofMinutes(10);
    private Duration negativeTtl = Duration.ofSeconds(30);
    private boolean negativeSet;
    private Duration loadTimeout = Duration.ofSeconds(30);
    private int maxValueBytes = 1 << 20;
    private int maxKeyChars = 1024;
    private int compressFrom = 2048;
    private RemoteLossPolicy remoteLoss = RemoteLossPolicy.load();
    private final Set<Tag> tags = new LinkedHashSet<>();
    private @Nullable Codec codec;
    private @Nullable TtlPolicy<?, ?> ttlPolicy;
    private double jitter = LoadSettings.DEFAULTS.jitter();
    private double refreshAhead = LoadSettings.DEFAULTS.refreshAhead();
    private Duration staleOnError = LoadSettings.DEFAULTS.staleOnError();
    private @Nullable Duration softTimeout;
    private Duration retryAfter = LoadSettings.DEFAULTS.retryAfter();
    private Duration retryAtMost = LoadSettings.DEFAULTS.retryAtMost();
    private int negativeLimit = LoadSettings.DEFAULTS.negativeLimit();

    private Builder() {}

    /** 1 ms to 30 days. */
    public Builder ttl(Duration ttl) {
      this.ttl = ttl;
      return this;
    }

    /** Zero to {@code ttl}; where it is not set, 30 seconds or {@code ttl} if that is shorter. */
    public Builder negativeTtl(Duration negativeTtl) {
      this.negativeTtl = negativeTtl;
      this.negativeSet = true;
      return this;
    }

    /** 1 ms to 30 days. */
    public Builder loadTimeout(Duration loadTimeout) {
      this.loadTimeout = loadTimeout;
      return this;
    }

    /** 16 or more. */
    public Builder maxValueBytes(int maxValueBytes) {
      this.maxValueBytes = maxValueBytes;
      return this;
    }

    /** 16 or more. */
    public Builder maxKeyChars(int maxKeyChars) {
      this.maxKeyChars = maxKeyChars;
      return this;
    }

    /** 64 or more; {@code Integer.MAX_VALUE} compresses nothing. */
    public Builder compressFrom(int compressFrom) {
      this.compressFrom = compressFrom;
      return this;
    }

    /** {@link RemoteLossPolicy#load()} by default. */
    public Builder remoteLoss(RemoteLossPolicy remoteLoss) {
      this.remoteLoss = remoteLoss;
      return this;
    }

    /** Adds tags that every value carries. */
    public Builder tags(Tag... more) {
      return tags(Set.of(more));
    }

    /** Adds tags that every value carries. */
    public Builder tags(Set<Tag> more) {
      tags.addAll(more);
      return this;
    }

    /** How the values become bytes; what the node's builder says by default. */
    public Builder codec(Codec codec) {
      this.codec = codec;
      return this;
    }

    /**
     * Decides on each value's time to live. Where it fails, {@code ttl} counts, so that {@code
     * negativeTtl} is still held to {@code ttl}.
     *
     * @param policy its key and value must be the cache's
     */
    public Builder ttlPolicy(TtlPolicy<?, ?> policy) {
      this.ttlPolicy = Objects.requireNonNull(policy, "policy");
      return this;
    }

    /** 0 to 0.5: times to live vary by this part of themselves, up and down. */
    public Builder jitter(double part) {
      this.jitter = part;
      return this;
    }

    /**
     * 0 to 100: a value in use is loaded again in the background before its time is up, by about
     * this many times as long as its load took; more makes it earlier, 0 never. A caller's loader
     * may then still run when the caller has its answer: it must not depend on what the caller
     * closes. The moment is drawn for each value (XFetch: Vattani, Chierichetti, Lowenstein, 2015).
     */
    public Builder refreshAhead(double beta) {
      this.refreshAhead = beta;
      return this;
    }

    /**
     * Zero to 30 days: for so long after its time a value is kept and, where a load fails, runs out
     * of time or is refused, served in place of the error. Never one that was voided, or that is
     * older than the caller's session has seen.
     */
    public Builder staleOnError(Duration limit) {
      this.staleOnError = Objects.requireNonNull(limit, "limit");
      return this;
    }

    /**
     * 1 ms to below {@code loadTimeout}: callers of a load that takes longer get such a value. The
     * load goes on in the background.
     */
    public Builder softTimeout(Duration timeout) {
      this.softTimeout = Objects.requireNonNull(timeout, "timeout");
      return this;
    }

    /**
     * How long after a failed load the next is tried, while there is such a value to serve.
     *
     * @param first zero: at once
     * @param most what the time doubles up to
     */
    public Builder retryAfter(Duration first, Duration most) {
      this.retryAfter = Objects.requireNonNull(first, "first");
      this.retryAtMost = Objects.requireNonNull(most, "most");
      return this;
    }

    /**
     * 0 or more: for how many keys of a tenant memory may hold that they have no value. Of more it
     * is not remembered in memory, so that asking for what is not there drives nothing out.
     */
    public Builder negativeLimit(int keys) {
      this.negativeLimit = keys;
      return this;
    }

    /**
     * The settings.
     *
     * @throws ConfigurationException when a value is out of range or two contradict each other
     */
    public CacheSettings build() {
      Objects.requireNonNull(ttl, "ttl");
      Objects.requireNonNull(negativeTtl, "negativeTtl");
      Duration negative =
          negativeSet || negativeTtl.compareTo(ttl) <= 0 || ttl.isNegative() ? negativeTtl : ttl;
      return new CacheSettings(
          ttl,
          negative,
          loadTimeout,
          maxValueBytes,
          maxKeyChars,
          compressFrom,
          remoteLoss,
          tags,
          codec,
          new LoadSettings(
              ttlPolicy,
              jitter,
              refreshAhead,
              staleOnError,
              softTimeout,
              retryAfter,
              retryAtMost,
              negativeLimit));
    }
  }

  static void within(String name, Duration value, Duration least) {
    Objects.requireNonNull(value, name);
    if (value.compareTo(least) < 0 || value.compareTo(LONGEST) > 0) {
      throw new ConfigurationException(
          "%s is %s; use %s to %s.".formatted(name, value, least, LONGEST));
    }
  }

  private static void atLeast(String name, int value, int least) {
    if (value < least) {
      throw new ConfigurationException("%s is %d; use %d or more.".formatted(name, value, least));
    }
  }
}
