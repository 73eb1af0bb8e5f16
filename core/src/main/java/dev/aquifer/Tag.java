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
      if (halfOfAPair(name, i)) {
        // It would leave this process as a question mark, like any other half.
        throw new IllegalArgumentException(
            "A tag's name is text of whole characters; this one has half of a pair, U+%04X, at index %d."
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
      boolean plain =
          !Character.isISOControl(bare.charAt(i)) && !Character.isSurrogate(bare.charAt(i));
      name.append(plain ? bare.charAt(i) : '_');
    }
    return new Tag(name.toString());
  }

  private static boolean halfOfAPair(String text, int at) {
    char c = text.charAt(at);
    return Character.isHighSurrogate(c)
        ? at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1))
        : Character.isLowSurrogate(c)
            && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }

  @Override
  public String toString() {
    return name;
  }
}
