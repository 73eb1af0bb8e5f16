package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A value cannot be written in its cache's codec. Callers never see it: the value is served and not
 * stored, and observers are told, with this as the reason.
 */
public class EncodingException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public EncodingException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public EncodingException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
