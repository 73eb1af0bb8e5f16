package dev.aquifer.tsquery.flux;

import dev.aquifer.RefusedQueryException;

/**
 * A Flux script was refused before anything was sent: it is not Flux, is larger or nested deeper
 * than allowed, or cannot be proven to be confined to its tenant. The message has the reason and
 * the place.
 */
public final class RefusedScriptException extends RefusedQueryException {
  private static final long serialVersionUID = 1L;

  private final int line;
  private final int column;

  RefusedScriptException(String reason, Place place) {
    super("Flux script, line %d, column %d: %s".formatted(place.line(), place.column(), reason));
    this.line = place.line();
    this.column = place.column();
  }

  /** The line of the script, from 1. */
  public int line() {
    return line;
  }

  /** The column, from 1, counted in chars of the text. */
  public int column() {
    return column;
  }
}
