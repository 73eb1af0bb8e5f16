package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one cache. Immutable; {@link #builder()} starts from the defaults.
 *
 * @param ttl how long a value lives, 10 minutes by default; 10 % of jitter is taken off or added
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
 * @param codec how its values become bytes; null: as {@link Caches.Builder#codec} says
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
    @Nullable Codec codec) {
  private static final Duration LONGEST = Duration.ofDays(30);

  /** Checks the values. */
  public CacheSettings {
    tags = Set.copyOf(tags);
    within("ttl", ttl, Duration.ofMillis(1));
    within("negativeTtl", negativeTtl, Duration.ZERO);
    within("loadTimeout", loadTimeout, Duration.ofMillis(1));
    if (negativeTtl.compareTo(ttl) > 0) {
      throw new ConfigurationException(
          "negativeTtl %s is longer than ttl %s; absence must not outlive values."
              .formatted(negativeTtl, ttl));
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
     * The settings.
     *
     * @throws ConfigurationException when a value is out of range or two contradict each other
     */
    public CacheSettings build() {
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
          codec);
    }
  }

  private static void within(String name, Duration value, Duration least) {
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
