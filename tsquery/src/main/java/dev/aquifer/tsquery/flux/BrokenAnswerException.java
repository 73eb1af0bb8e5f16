package dev.aquifer.tsquery.flux;

import dev.aquifer.AquiferException;

/**
 * What should be a Flux answer is none, or ended before its end. Causes: a connection that broke, a
 * proxy that answered instead of the server, a request whose dialect lacks annotations or the
 * header. The message has the row; it never has a value.
 */
public final class BrokenAnswerException extends AquiferException {
  private static final long serialVersionUID = 1L;

  private final long row;

  BrokenAnswerException(long row, String reason) {
    super("Flux answer, row %,d: %s".formatted(row, reason));
    this.row = row;
  }

  /** The row of the body, from 1, annotations and headers counted, empty lines not. */
  public long row() {
    return row;
  }
}
