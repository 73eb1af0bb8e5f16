package dev.aquifer.sql;

import org.jspecify.annotations.Nullable;

/**
 * A name of one or more parts.
 *
 * @param schema the last part but one, or null; a database before it is dropped
 * @param name the last part
 * @param parts number of parts
 * @param end index of the token behind
 */
record NameChain(@Nullable String schema, String name, int parts, int end) {

  /** Reads the chain that begins there; null when none does or a part is not a valid name. */
  static @Nullable NameChain read(Tokens tokens, int at) {
    if (!tokens.isName(at)) {
      return null;
    }
    int last = at;
    int parts = 1;
    while (tokens.is(last + 1, Token.DOT) && tokens.isName(last + 2)) {
      last += 2;
      parts++;
    }
    String name = tokens.name(last);
    String schema = parts == 1 ? null : tokens.name(last - 2);
    if (name == null || (parts > 1 && schema == null)) {
      return null;
    }
    return new NameChain(schema, name, parts, last + 1);
  }

  /** The chain as a table's name; null when it has too many parts for one. */
  @Nullable TableName table() {
    return parts <= 3 ? new TableName(schema, name) : null;
  }
}
