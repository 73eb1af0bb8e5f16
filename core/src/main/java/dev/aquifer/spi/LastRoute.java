package dev.aquifer.spi;

import dev.aquifer.spi.Observer.Role;

/**
 * The role of the node that answered the last database read of a thread. The router records it; who
 * loads on another thread hands it on to those that wait for the load. So an answer can say where
 * it came from, whoever fetched it.
 */
public final class LastRoute {
  private static final ThreadLocal<Role> LAST = ThreadLocal.withInitial(() -> Role.UNKNOWN);

  private LastRoute() {}

  /** Says that a node of this role answered a read of this thread. No allocation. */
  public static void record(Role role) {
    LAST.set(role);
  }

  /** The role last recorded on this thread, {@link Role#UNKNOWN} if none was. */
  public static Role last() {
    return LAST.get();
  }
}
