package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A load took longer than its cache's hard limit. The load was interrupted; whatever it still
 * returns is not stored.
 */
public class LoadTimeoutException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public LoadTimeoutException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public LoadTimeoutException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
