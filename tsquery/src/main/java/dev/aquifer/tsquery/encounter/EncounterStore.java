package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where encounters are kept. What it has acknowledged must not be lost, so a cache is none: {@link
 * PostgresEncounters} is one, {@link #inMemory} serves a single process that may forget.
 * Thread-safe.
 *
 * <p>Every method is about one {@link EncounterScope} and touches no other.
 */
public interface EncounterStore {
  /** What becomes of one encounter. */
  @FunctionalInterface
  interface Decision {
    /**
     * Decides from what is kept now. May run more than once, so it does nothing else.
     *
     * @param before as it is kept; null: there is none
     * @return as it is to be kept, with the same id; null: not at all. What it throws leaves all as
     *     it was, and reaches the caller unchanged
     */
    @Nullable Encounter after(@Nullable Encounter before);
  }

  /**
   * Changes one encounter, as if nobody else changed it meanwhile: the one that the decision is
   * given is the one that its answer replaces. When this returns, the change is kept.
   *
   * @param limits how many the scope may have once another is added
   * @throws dev.aquifer.RefusedQueryException the change would pass the limits; nothing was changed
   * @throws dev.aquifer.UnavailableException the store could not be reached or was too slow; it may
   *     have been changed
   */
  EncounterChange change(
      EncounterScope scope, String id, EncounterLimits limits, Decision decision);

  /** The encounter with this id. */
  Optional<Encounter> find(EncounterScope scope, String id);

  /**
   * Those that have a moment in common with the range, in the order of {@link EncounterPage}.
   *
   * @param after the page begins with the first that follows this one; null: with the first of all
   * @param most 1 or more
   */
  EncounterPage between(EncounterScope scope, TimeRange range, @Nullable Encounter after, int most);

  /**
   * Packs those of whole months before a time that have ended. All else works on them as before.
   *
   * @return how many were packed; 0 where the store packs nothing
   */
  default long archive(EncounterScope scope, Instant before) {
    return 0;
  }

  /** One in memory: for tests, and for a process that may forget. */
  static EncounterStore inMemory() {
    return new MemoryEncounters();
  }
}
