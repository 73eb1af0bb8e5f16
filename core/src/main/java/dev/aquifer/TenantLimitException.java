package dev.aquifer;

import java.time.Duration;

/**
 * A tenant asked for more at a time than its limits allow. Nothing was done; the same call may
 * succeed after {@link #retryAfter}.
 */
public class TenantLimitException extends AquiferException {
  private static final long serialVersionUID = 1L;

  private final String tenant;
  private final String limit;
  private final Duration retryAfter;

  /**
   * An error.
   *
   * @param limit which one, and how much it allows, as the message says it
   */
  public TenantLimitException(Tenant tenant, String limit, Duration retryAfter) {
    super(
        "Tenant %s is over its limit of %s; retry in %s, or raise the limit."
            .formatted(tenant, limit, retryAfter));
    this.tenant = tenant.id();
    this.limit = limit;
    this.retryAfter = retryAfter;
  }

  /** Whose limit it is. */
  public Tenant tenant() {
    return Tenant.of(tenant);
  }

  /** Which limit, and how much it allows. */
  public String limit() {
    return limit;
  }

  /** When it may be worth to ask again; an estimate. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
