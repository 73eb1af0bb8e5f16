package dev.aquifer.tsquery.flux;

/** What a rewrite may do to sums and means of floats. */
public enum FloatSums {
  /** Nothing: the answer stays the same bit for bit. */
  EXACT,

  /**
   * Storage may add them where the query engine did, or the query engine in other pieces, so that
   * the last digits may differ. Sums of whole numbers are exact either way.
   */
  LAST_DIGITS_MAY_DIFFER
}
