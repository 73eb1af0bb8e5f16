package dev.aquifer.tsquery.encounter;

import dev.aquifer.ConfigurationException;

/**
 * How many encounters of one kind one tenant may have.
 *
 * @param kept all of them, archived ones too; default 10,000,000
 * @param open those that go on; default 100,000
 */
public record EncounterLimits(long kept, long open) {
  /**
   * Checks that each allows something.
   *
   * @throws ConfigurationException when a limit is zero or negative
   */
  public EncounterLimits {
    if (kept <= 0 || open <= 0) {
      throw new ConfigurationException(
          "Limits of %,d encounters and %,d open ones: each must be positive."
              .formatted(kept, open));
    }
  }

  /** 10,000,000 kept, 100,000 open. */
  public static EncounterLimits defaults() {
    return new EncounterLimits(10_000_000, 100_000);
  }
}
