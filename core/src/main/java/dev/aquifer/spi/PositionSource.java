package dev.aquifer.spi;

import dev.aquifer.Consistency;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Where readers learn what a node must have replayed before it may answer, and where they make that
 * demand. The router implements it; the cache asks, so that what was just voided is never loaded
 * again from a node that lags behind the void. Thread-safe.
 */
public interface PositionSource {
  /** A source for a database without replicas: every read is at the newest position. */
  PositionSource PRIMARY_ONLY =
      new PositionSource() {
        @Override
        public ReadFloor now() {
          return ReadFloor.NONE;
        }

        @Override
        public @Nullable Position resolve(ReadFloor floor) {
          return floor.position();
        }

        @Override
        public <T> T call(ReadFloor floor, Callable<T> body) throws Exception {
          return body.call();
        }
      };

  /**
   * The floor of every commit that was acknowledged before this call, by any node. Costs a look at
   * the clock.
   */
  ReadFloor now();

  /**
   * One position that satisfies the floor, or null where it demands nothing. Costs at most one
   * round trip to the primary, none when the monitor's samples bound it already.
   *
   * @throws dev.aquifer.UnavailableException when the primary does not answer within its limit
   */
  @Nullable Position resolve(ReadFloor floor);

  /**
   * Runs the body; database reads on this thread, until it returns, go only to nodes that have
   * replayed the floor, beside what their session demands. Calls nest, demands add up.
   *
   * @throws Exception what the body throws, unchanged
   */
  <T> T call(ReadFloor floor, Callable<T> body) throws Exception;

  /** How fresh the current thread asked its database reads to be; null where it did not ask. */
  default @Nullable Consistency asked() {
    return null;
  }

  /**
   * Runs the body; database reads on this thread, until it returns, are this fresh. The innermost
   * call decides.
   *
   * @throws Exception what the body throws, unchanged
   */
  default <T extends @Nullable Object> T read(Consistency consistency, Callable<T> body)
      throws Exception {
    return body.call();
  }
}
