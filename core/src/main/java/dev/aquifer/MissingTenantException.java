package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * A tenant-scoped call was made with no tenant. Run the call inside {@link Tenant#call}, or mark
 * what really is for all tenants as such. Nothing ever falls back to a shared tenant.
 */
public class MissingTenantException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public MissingTenantException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public MissingTenantException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
