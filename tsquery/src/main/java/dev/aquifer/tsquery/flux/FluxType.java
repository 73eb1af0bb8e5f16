package dev.aquifer.tsquery.flux;

/** What the cells of a column of a Flux answer are, as its {@code #datatype} says. */
public enum FluxType {
  /** {@code boolean}: {@link FluxColumn#booleanAt}. */
  BOOLEAN("boolean"),
  /** {@code long}: {@link FluxColumn#longAt}. */
  LONG("long"),
  /** {@code unsignedLong}: {@link FluxColumn#longAt}, its 64 bits taken as unsigned. */
  UNSIGNED_LONG("unsignedLong"),
  /** {@code double}: {@link FluxColumn#doubleAt}. */
  DOUBLE("double"),
  /** {@code string}: {@link FluxColumn#textAt}. */
  TEXT("string"),
  /** {@code dateTime}: {@link FluxColumn#longAt}, in nanoseconds since the epoch. */
  TIME("dateTime:RFC3339"),
  /** {@code duration}: {@link FluxColumn#longAt}, in nanoseconds. */
  DURATION("duration"),
  /** {@code base64Binary}: {@link FluxColumn#bytesAt}. */
  BINARY("base64Binary");

  private final String annotation;

  FluxType(String annotation) {
    this.annotation = annotation;
  }

  /** The name that a {@code #datatype} has for it. */
  public String annotation() {
    return annotation;
  }
}
