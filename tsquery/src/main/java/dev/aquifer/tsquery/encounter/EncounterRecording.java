package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import java.util.List;

/**
 * What {@link Encounters#record} found, and what it changed for it.
 *
 * @param found in order of start
 * @param added how many were not kept before
 * @param amended how many had other ends
 * @param removed how many were kept and are not found any more
 */
public record EncounterRecording(List<Encounter> found, int added, int amended, int removed) {
  /** Copies the list. */
  public EncounterRecording {
    found = List.copyOf(found);
  }
}
