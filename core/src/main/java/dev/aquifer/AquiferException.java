package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * The root of every error that Aquifer itself raises. Unchecked. The message names the thing, the
 * value and what to do; it never holds a password, a token or a cached value.
 *
 * <p>Errors of a loader, of JDBC or of a mapper are not wrapped in it: they reach the caller as
 * they were thrown.
 */
public class AquiferException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public AquiferException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public AquiferException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
