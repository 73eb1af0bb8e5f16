package dev.aquifer.tsquery;

/** What a column's values are. */
public enum ValueKind {
  /** Whole numbers, 64 bits. */
  LONG,
  /** Floating-point numbers, 64 bits. */
  DOUBLE,
  /** True or false. */
  BOOLEAN,
  /** Text. */
  TEXT
}
