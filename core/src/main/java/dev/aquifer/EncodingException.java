package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A value cannot be written in its cache's codec. Raised to nobody who reads through a cache (the
 * value is then served uncached and the fault counted), only to those who put a value themselves.
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
