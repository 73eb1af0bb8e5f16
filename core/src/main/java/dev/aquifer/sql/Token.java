package dev.aquifer.sql;

/** What the lexer tells apart. */
enum Token {
  WORD,
  QUOTED_WORD,
  STRING,
  NUMBER,
  /** {@code $1} and JDBC's {@code ?}. */
  PARAMETER,
  /** {@code :name}, as Jdbi writes it. */
  NAMED_PARAMETER,
  OPERATOR,
  LEFT,
  RIGHT,
  LEFT_BRACKET,
  RIGHT_BRACKET,
  COMMA,
  SEMICOLON,
  DOT,
  COLON,
  /** {@code ::}. */
  CAST,
  /** {@code :=} and {@code =>}. */
  ARGUMENT,
  /** Behind the last token. */
  END
}
