package dev.aquifer.tsquery.encounter;

import dev.aquifer.AquiferException;
import dev.aquifer.tsquery.Encounter;

/**
 * An encounter is not as the caller took it to be: it exists already, has ended already, or was
 * changed by another. Nothing was changed. The message has its boundaries as they are; find it
 * again and decide anew.
 */
public final class EncounterConflictException extends AquiferException {
  private static final long serialVersionUID = 1L;

  EncounterConflictException(EncounterScope scope, Encounter kept, String wanted) {
    super(
        "The encounter '%s' of kind %s %s; it is from %s to %s."
            .formatted(
                kept.id(), scope, wanted, kept.start(), kept.end() == null ? "now" : kept.end()));
  }
}
