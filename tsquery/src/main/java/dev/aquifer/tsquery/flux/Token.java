package dev.aquifer.tsquery.flux;

/**
 * A token.
 *
 * @param text the symbol, the word, the digits, or the value of a text
 * @param start where it begins in the script's text
 */
record Token(Kind kind, String text, int start, Place place) {
  /** What a token is. */
  enum Kind {
    NAME,
    KEYWORD,
    SYMBOL,
    INT,
    FLOAT,
    SPAN,
    MOMENT,
    TEXT,
    /** The quote that begins a text with expressions in it. */
    QUOTE,
    REGEX,
    ATTRIBUTE,
    END
  }

  boolean is(String symbolOrKeyword) {
    return (kind == Kind.SYMBOL || kind == Kind.KEYWORD) && text.equals(symbolOrKeyword);
  }

  /** For messages. */
  String shown() {
    return switch (kind) {
      case END -> "the end of the script";
      case TEXT, QUOTE -> "a text";
      case REGEX -> "a regular expression";
      case INT, FLOAT, SPAN, MOMENT -> "'" + Messages.shown(text) + "'";
      case KEYWORD -> "the keyword '" + text + "'";
      case ATTRIBUTE -> "the attribute '@" + Messages.shown(text) + "'";
      case NAME, SYMBOL -> "'" + Messages.shown(text) + "'";
    };
  }
}
