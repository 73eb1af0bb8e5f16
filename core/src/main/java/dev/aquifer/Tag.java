package dev.aquifer;

import java.util.Locale;

/**
 * A name, within a tenant, that cached values can depend on: {@code table:flight}, {@code
 * flight:42}. Voiding the tag voids every value that carries it, whatever their number.
 *
 * <p>Names have 1 to 256 characters, none of them a control character. A tag means nothing outside
 * its tenant: the same name under two tenants is two tags.
 *
 * @param name the name
 */
public record Tag(String name) {
  /** The longest name, in characters. */
  public static final int MAX_LENGTH = 256;

  /**
   * What voids everything that depends on any table of the tenant: a write that could not be
   * attributed.
   */
  public static final Tag ANY_TABLE = new Tag("table:*");

  /** Checks the name. */
  public Tag {
    if (name.isEmpty() || name.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "A tag's name has 1 to %d characters; this one has %,d."
              .formatted(MAX_LENGTH, name.length()));
    }
    for (int i = 0; i < name.length(); i++) {
      if (Character.isISOControl(name.charAt(i))) {
        throw new IllegalArgumentException(
            "A tag's name has no control characters; this one has U+%04X at index %d."
                .formatted((int) name.charAt(i), i));
      }
    }
  }

  /** The tag with this name. */
  public static Tag of(String name) {
    return new Tag(name);
  }

  /** The tag of one thing of a kind, {@code kind:id}. */
  public static Tag of(String kind, Object id) {
    return new Tag(kind + ':' + id);
  }

  /**
   * The tag of a table. The schema does not count: {@code public.flight} and {@code flight} may be
   * one table, so a write to either voids both.
   */
  public static Tag table(String table) {
    String bare = table.substring(table.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    StringBuilder name = new StringBuilder("table:");
    for (int i = 0; i < Math.min(bare.length(), MAX_LENGTH - "table:".length()); i++) {
      // Any name can be quoted into a statement; two that end up equal here void each other.
      name.append(Character.isISOControl(bare.charAt(i)) ? '_' : bare.charAt(i));
    }
    return new Tag(name.toString());
  }

  @Override
  public String toString() {
    return name;
  }
}
