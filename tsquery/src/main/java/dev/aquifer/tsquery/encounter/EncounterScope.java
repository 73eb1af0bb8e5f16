package dev.aquifer.tsquery.encounter;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import java.util.regex.Pattern;

/**
 * Whose encounters, and of which kind: ids are unique in it, and nothing reaches beyond it.
 * Immutable.
 *
 * @param tenant whose
 * @param kind such as {@code stay}; 1 to 64 characters of {@code A-Z a-z 0-9 _ . -}
 */
public record EncounterScope(Tenant tenant, String kind) {
  private static final Pattern KIND = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

  /**
   * Checks the kind.
   *
   * @throws RefusedQueryException it is empty, too long or has another character
   */
  public EncounterScope {
    requireKind(kind);
  }

  static String requireKind(String kind) {
    if (!KIND.matcher(kind).matches()) {
      throw new RefusedQueryException(
          "The kind of encounters has %,d characters; use 1 to 64 of A-Z a-z 0-9 _ . - alone."
              .formatted(kind.length()));
    }
    return kind;
  }

  /** As messages name it: {@code 'stay' of tenant DFW}. */
  @Override
  public String toString() {
    return "'%s' of tenant %s".formatted(kind, tenant);
  }
}
