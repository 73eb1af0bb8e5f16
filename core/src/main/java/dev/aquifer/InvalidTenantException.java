package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A tenant's id is not one. Ids have 1 to 64 characters of {@code A-Z a-z 0-9 _ . -}; map other
 * names to such ids before they reach Aquifer, one id a tenant.
 */
public class InvalidTenantException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public InvalidTenantException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public InvalidTenantException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
