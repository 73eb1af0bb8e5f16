package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import org.jspecify.annotations.Nullable;

/**
 * What one encounter was and is.
 *
 * @param before as it was; null: there was none
 * @param after as it is; null: there is none
 */
public record EncounterChange(@Nullable Encounter before, @Nullable Encounter after) {}
