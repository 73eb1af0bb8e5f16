package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A query was refused before anything was sent: it is not confined to its tenant, is larger than
 * the limits allow, or uses what its dialect cannot do. The message names the part and the limit.
 */
public class RefusedQueryException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public RefusedQueryException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public RefusedQueryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
