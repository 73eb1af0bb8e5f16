package dev.aquifer.sql;

/**
 * What is left of a text when literals, parameters, comments and layout are taken away.
 *
 * @param hash 64 bits of the whole, seeded with the version of these rules
 * @param text its first 4,096 characters
 */
record Fingerprint(long hash, String text) {
  static final int MAX_TEXT = 4_096;

  /** Texts beyond this are told apart by their beginning alone. */
  static final int MAX_SQL = 1 << 15;

  static Fingerprint of(String sql) {
    boolean whole = sql.length() <= MAX_SQL;
    Normalizer normalizer =
        new Normalizer(Lexer.scan(whole ? sql : sql.substring(0, MAX_SQL)), whole);
    return normalizer.fingerprint();
  }
}
