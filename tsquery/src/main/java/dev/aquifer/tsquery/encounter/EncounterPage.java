package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Some encounters in order of their start, and of their ids (by code points) where starts are
 * equal. Immutable.
 *
 * @param encounters as many as were asked for, or all that are left
 * @param more whether others follow
 */
public record EncounterPage(List<Encounter> encounters, boolean more) {
  /** Copies the list. */
  public EncounterPage {
    encounters = List.copyOf(encounters);
  }

  /** A page of so many, of those found where one more than that was asked for. */
  static EncounterPage of(List<Encounter> found, int most) {
    boolean more = found.size() > most;
    return new EncounterPage(more ? found.subList(0, most) : found, more);
  }

  /** The one after which the next page begins; null when none follows. */
  public @Nullable Encounter next() {
    return more ? encounters.get(encounters.size() - 1) : null;
  }
}
