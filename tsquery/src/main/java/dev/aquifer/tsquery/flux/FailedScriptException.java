package dev.aquifer.tsquery.flux;

import dev.aquifer.AquiferException;

/**
 * The server began to answer a Flux script and then failed: its answer ends with an error instead
 * of its last rows. What came before is part of an answer only. See {@link #reason}; mend the
 * script, or ask again when the reason is the server's load.
 */
public final class FailedScriptException extends AquiferException {
  private static final long serialVersionUID = 1L;

  private final String reason;
  private final String reference;

  FailedScriptException(String reason, String reference) {
    super("The Flux script failed on the server: " + Messages.shown(reason, 200));
    this.reason = reason;
    this.reference = reference;
  }

  /** The server's own words, all of them, as they came. */
  public String reason() {
    return reason;
  }

  /** The server's code for the error; empty when it gave none. */
  public String reference() {
    return reference;
  }
}
