package dev.aquifer;

import java.util.concurrent.Callable;

/**
 * One tenant of the application: a validated id that becomes part of every key, tag, channel and
 * quota.
 *
 * <p>Immutable and thread-safe. An id has 1 to 64 characters of {@code A-Z a-z 0-9 _ . -}; upper
 * and lower case differ. That leaves out every character that separates parts of a key, so no id
 * can reach into another tenant's keys.
 *
 * <pre>{@code
 * Optional<Flight> flight = Tenant.of("DFW").call(() -> departures.byId(42));
 * }</pre>
 */
public final class Tenant implements Comparable<Tenant> {
  /** The longest id, in characters. */
  public static final int MAX_LENGTH = 64;

  private static final int SHOWN = 40;

  private final String id;
  private final int hash;

  private Tenant(String id) {
    this.id = id;
    this.hash = id.hashCode();
  }

  /**
   * The tenant with this id.
   *
   * @throws InvalidTenantException when the id is empty, too long or has another character
   */
  public static Tenant of(String id) {
    if (id.isEmpty()) {
      throw new InvalidTenantException(
          "The tenant's id is empty. Use 1 to 64 characters of A-Z a-z 0-9 _ . -");
    }
    if (id.length() > MAX_LENGTH) {
      throw new InvalidTenantException(
          "The tenant's id '%s' has %,d characters; at most %d are allowed."
              .formatted(Texts.printable(id, SHOWN), id.length(), MAX_LENGTH));
    }
    for (int i = 0; i < id.length(); i++) {
      if (!allowed(id.charAt(i))) {
        throw new InvalidTenantException(
            "The tenant's id '%s' has the character '%s' (U+%04X) at index %d; use only A-Z a-z 0-9 _ . -"
                .formatted(
                    Texts.printable(id, MAX_LENGTH),
                    Texts.printable(id.substring(i, i + 1), 1),
                    (int) id.charAt(i),
                    i));
      }
    }
    return new Tenant(id);
  }

  /** The id, as given. */
  public String id() {
    return id;
  }

  /**
   * Runs the body as this tenant, on this thread, and returns its result. Scopes nest; the one
   * before is current again afterwards, also when the body throws.
   *
   * @throws Exception what the body throws, unchanged
   */
  public <T> T call(Callable<T> body) throws Exception {
    Tenant before = TenantContext.swap(this);
    try {
      return body.call();
    } finally {
      TenantContext.swap(before);
    }
  }

  /** Runs the body as this tenant, on this thread. See {@link #call}. */
  public void run(Runnable body) {
    Tenant before = TenantContext.swap(this);
    try {
      body.run();
    } finally {
      TenantContext.swap(before);
    }
  }

  @Override
  public int compareTo(Tenant other) {
    return id.compareTo(other.id);
  }

  @Override
  public boolean equals(Object other) {
    return this == other || (other instanceof Tenant tenant && id.equals(tenant.id));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return id;
  }

  private static boolean allowed(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '_'
        || c == '.'
        || c == '-';
  }
}
