package dev.aquifer.cache;

import dev.aquifer.Tenant;
import java.util.List;

/**
 * What a cache in {@link Adoption.Mode#SHADOW} would have answered, against what its source did.
 *
 * @param same answers of the cache that equal the source's
 * @param filled calls that the cache had nothing for, and stored
 * @param different answers that differ, and that no void explains: with this TTL and these tags the
 *     cache would have served them
 * @param overtaken calls that no comparison says anything about, since what they read was voided
 *     before or soon after
 * @param dropped calls that were not looked at: too many waited, or Redis could not be asked
 * @param failed comparisons that ended with an error; no caller noticed
 * @param examples the first differences
 */
public record ShadowReport(
    long same,
    long filled,
    long different,
    long overtaken,
    long dropped,
    long failed,
    List<Example> examples) {
  /** Copies the examples. */
  public ShadowReport {
    examples = List.copyOf(examples);
  }

  /** How two answers differ. */
  public enum Kind {
    /** Both have a value. */
    VALUE,
    /** Only the source has one. */
    ABSENT_IN_CACHE,
    /** Only the cache has one. */
    ABSENT_IN_SOURCE
  }

  /**
   * A difference. It names neither values nor the key, which may be secrets.
   *
   * @param key the first 12 hexadecimal digits of the SHA-256 of the key's text
   */
  public record Example(String cache, Tenant tenant, String key, Kind kind) {}
}
