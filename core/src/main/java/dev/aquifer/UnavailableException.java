package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A server could not be reached, or did not answer within the limit that was set. The message names
 * the server, without credentials, and the limit.
 */
public class UnavailableException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public UnavailableException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public UnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
