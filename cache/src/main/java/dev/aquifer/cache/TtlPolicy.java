package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How long a value is fresh, decided when it was loaded. Absence is not asked about: it has {@link
 * CacheSettings#negativeTtl}.
 *
 * <p>Called on the threads of the cache, by several at a time; it should only compute. Where it
 * throws, or returns null, a negative time or more than 30 days, the cache's own {@link
 * CacheSettings#ttl} counts, and a {@linkplain dev.aquifer.spi.Observer.CacheFault#POLICY fault} is
 * told. Zero: the value is not stored. The cache's jitter is applied to what it returns.
 *
 * @param <K> keys
 * @param <V> values
 */
@FunctionalInterface
public interface TtlPolicy<K, V> {
  /** How long the value is fresh from now on. */
  Duration ttl(K key, V value, Load load);

  /**
   * Whether {@link Load#idle} is to be known. It costs a note a minute of each key that is used,
   * for the 10,000 keys of a cache that were used last.
   */
  default boolean tracksUse() {
    return false;
  }

  /** The same for all. */
  static <K, V> TtlPolicy<K, V> fixed(Duration ttl) {
    CacheSettings.within("TtlPolicy.fixed", ttl, Duration.ZERO);
    return (key, value, load) -> ttl;
  }

  /** The category's. */
  static <K, V> TtlPolicy<K, V> of(TtlCategory category) {
    return fixed(category.ttl());
  }

  /** That of the category which the function finds. */
  static <K, V> TtlPolicy<K, V> byCategory(
      Function<? super V, ? extends TtlCategory> categoryOfValue) {
    Objects.requireNonNull(categoryOfValue, "categoryOfValue");
    return (key, value, load) -> categoryOfValue.apply(value).ttl();
  }

  /**
   * By the age of the data, since what changed lately is likely to change again: 5 minutes where it
   * is younger than an hour, 30 minutes where it is younger than a day, else 2 hours.
   *
   * @param changed when the data came to be what it is; a moment to come is taken for now
   */
  static <K, V> TtlPolicy<K, V> byAge(Function<? super V, Instant> changed) {
    return byAge(
        changed,
        new Steps(
            Duration.ofHours(1),
            Duration.ofMinutes(5),
            Duration.ofHours(24),
            Duration.ofMinutes(30),
            Duration.ofHours(2)));
  }

  /** By the age of the data, in steps of one's own. */
  static <K, V> TtlPolicy<K, V> byAge(Function<? super V, Instant> changed, Steps steps) {
    Objects.requireNonNull(changed, "changed");
    Objects.requireNonNull(steps, "steps");
    return (key, value, load) -> steps.at(Duration.between(changed.apply(value), load.now()));
  }

  /**
   * By how lately the key was used before, so that what is wanted stays: an hour where that is less
   * than 5 minutes ago, 30 minutes where it is less than 30 minutes ago, else, and where it is not
   * known, 10 minutes.
   */
  static <K, V> TtlPolicy<K, V> byActivity() {
    return byActivity(
        new Steps(
            Duration.ofMinutes(5),
            Duration.ofHours(1),
            Duration.ofMinutes(30),
            Duration.ofMinutes(30),
            Duration.ofMinutes(10)));
  }

  /** By how lately the key was used before, in steps of one's own. */
  static <K, V> TtlPolicy<K, V> byActivity(Steps steps) {
    Objects.requireNonNull(steps, "steps");
    return new TtlPolicy<>() {
      @Override
      public Duration ttl(K key, V value, Load load) {
        Duration idle = load.idle();
        return idle == null ? steps.beyond() : steps.at(idle);
      }

      @Override
      public boolean tracksUse() {
        return true;
      }
    };
  }

  /**
   * By the kind of what is asked, such as a look-up, a list or a sum.
   *
   * @param kindOfKey what finds the kind; null is a kind that is not listed
   * @param ttls by kind
   * @param otherwise for kinds that are not listed
   */
  static <K, V, T> TtlPolicy<K, V> byKind(
      Function<? super K, ? extends @Nullable T> kindOfKey,
      Map<T, Duration> ttls,
      Duration otherwise) {
    Objects.requireNonNull(kindOfKey, "kindOfKey");
    Map<T, Duration> listed = Map.copyOf(ttls);
    listed.forEach((kind, ttl) -> CacheSettings.within("ttl of " + kind, ttl, Duration.ZERO));
    CacheSettings.within("otherwise", otherwise, Duration.ZERO);
    return (key, value, load) -> {
      T kind = kindOfKey.apply(key);
      return kind == null ? otherwise : listed.getOrDefault(kind, otherwise);
    };
  }

  /**
   * What is known of the load that a value came from.
   *
   * @param now the time of day, by this process's clock
   * @param took how long it took
   * @param idle how long ago the key was used before, by callers of this process and to the minute;
   *     null where that is not known
   */
  record Load(Instant now, Duration took, @Nullable Duration idle) {}

  /**
   * Two limits and three times to live.
   *
   * @param first below it: {@code near}
   * @param near zero to 30 days
   * @param second from {@code first} to below it: {@code middle}; longer than {@code first}
   * @param middle zero to 30 days
   * @param beyond for all else, zero to 30 days
   */
  record Steps(Duration first, Duration near, Duration second, Duration middle, Duration beyond) {
    /** Checks the values. */
    public Steps {
      if (first.isNegative() || second.compareTo(first) <= 0) {
        throw new ConfigurationException(
            "Steps of a TTL policy have first %s and second %s; use a first limit of zero or more, and a longer second."
                .formatted(first, second));
      }
      CacheSettings.within("near", near, Duration.ZERO);
      CacheSettings.within("middle", middle, Duration.ZERO);
      CacheSettings.within("beyond", beyond, Duration.ZERO);
    }

    Duration at(Duration distance) {
      return distance.compareTo(first) < 0
          ? near
          : distance.compareTo(second) < 0 ? middle : beyond;
    }
  }
}
