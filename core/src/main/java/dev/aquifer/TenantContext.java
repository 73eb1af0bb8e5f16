package dev.aquifer;

import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * The tenant that the current thread works for.
 *
 * <p>A tenant is bound to a thread for the length of a {@link Scope}; threads do not inherit it.
 * Code that hands work to another thread wraps it with {@link #wrap(Runnable)} or {@link
 * #wrap(Callable)}. What Aquifer itself starts on other threads is wrapped already.
 */
public final class TenantContext {
  private static final ThreadLocal<@Nullable Tenant> CURRENT = new ThreadLocal<>();

  private TenantContext() {}

  /** The current tenant, if there is one. */
  public static Optional<Tenant> current() {
    return Optional.ofNullable(CURRENT.get());
  }

  /** The current tenant, or null. For hot paths, where {@link #current()} would allocate. */
  public static @Nullable Tenant currentOrNull() {
    return CURRENT.get();
  }

  /**
   * The current tenant.
   *
   * @throws MissingTenantException when the thread has none
   */
  public static Tenant require() {
    Tenant tenant = CURRENT.get();
    if (tenant == null) {
      throw new MissingTenantException(
          "No tenant is current on thread '%s'. Wrap the call: Tenant.of(id).call(() -> …)"
              .formatted(Thread.currentThread().getName()));
    }
    return tenant;
  }

  /**
   * Makes the tenant current on this thread until the scope is closed, on this thread. {@link
   * Tenant#call} does the same for a body.
   */
  public static Scope enter(Tenant tenant) {
    return new Scope(swap(tenant));
  }

  /**
   * Runs the body with no tenant, on this thread: for work that is for all of them. What it writes
   * voids what any tenant has cached of it.
   *
   * @throws Exception what the body throws, unchanged
   */
  public static <T> T callWithout(Callable<T> body) throws Exception {
    Tenant before = swap(null);
    try {
      return body.call();
    } finally {
      swap(before);
    }
  }

  /** The same work, run later under the tenant that is current now (none, if none is). */
  public static Runnable wrap(Runnable work) {
    Tenant captured = CURRENT.get();
    return () -> {
      Tenant before = swap(captured);
      try {
        work.run();
      } finally {
        swap(before);
      }
    };
  }

  /** The same work, run later under the tenant that is current now (none, if none is). */
  public static <T> Callable<T> wrap(Callable<T> work) {
    Tenant captured = CURRENT.get();
    return () -> {
      Tenant before = swap(captured);
      try {
        return work.call();
      } finally {
        swap(before);
      }
    };
  }

  /** Makes the tenant (or none) current and returns the one before. */
  static @Nullable Tenant swap(@Nullable Tenant tenant) {
    Tenant before = CURRENT.get();
    if (tenant == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(tenant);
    }
    return before;
  }

  /**
   * Restores, when closed, the tenant that was current before. Close it once, on the thread that
   * entered, in order.
   */
  public static final class Scope implements AutoCloseable {
    private final @Nullable Tenant before;

    private Scope(@Nullable Tenant before) {
      this.before = before;
    }

    @Override
    public void close() {
      swap(before);
    }
  }
}
