package dev.aquifer.tsquery.encounter;

import dev.aquifer.AquiferException;

/** The tenant has no encounter of this kind and id. The message names all three. */
public final class UnknownEncounterException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error for this id. */
  public UnknownEncounterException(EncounterScope scope, String id) {
    super("There is no encounter '%s' among those of kind %s; open it first.".formatted(id, scope));
  }
}
