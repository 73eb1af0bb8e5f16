package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A tenant used up what it may: loads, invalidations, queries or memory. Others are not affected.
 * Retry later, or raise the tenant's limit.
 */
public class TenantLimitException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public TenantLimitException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public TenantLimitException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
