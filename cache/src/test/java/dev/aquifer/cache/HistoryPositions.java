package dev.aquifer.cache;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.PositionSource;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a router over a source and its replica tells a cache: positions are numbers of commits.
 * Moments are bounded as a router does it, by the first sample of the primary that began later.
 */
final class HistoryPositions implements PositionSource {
  private final LongSupplier commits;

  // An instance's, not static: the nodes are apart.
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<@Nullable ReadFloor> demand = new ThreadLocal<>();

  private volatile Sample newest = new Sample(System.nanoTime(), 0);

  HistoryPositions(LongSupplier commits) {
    this.commits = commits;
  }

  private record Sample(long begun, long commits) {}

  @Override
  public ReadFloor now() {
    return ReadFloor.after(System.nanoTime());
  }

  @Override
  public @Nullable Position resolve(ReadFloor floor) {
    return floor.isNone() ? null : new Position(1, 1, commits(floor));
  }

  @Override
  public <T> T call(ReadFloor floor, Callable<T> body) throws Exception {
    ReadFloor outer = demand.get();
    demand.set(outer == null ? floor : outer.and(floor));
    try {
      return body.call();
    } finally {
      demand.set(outer);
    }
  }

  /** How many commits a load on this thread must be shown; all, where no cache loads. */
  long least() {
    ReadFloor floor = demand.get();
    return floor == null ? Long.MAX_VALUE : commits(floor);
  }

  private long commits(ReadFloor floor) {
    Position known = floor.position();
    long least = known == null ? 0 : known.lsn();
    if (!floor.timed()) {
      return least;
    }
    Sample sample = newest;
    if (sample.begun - floor.after() <= 0) {
      long begun = System.nanoTime();
      sample = new Sample(begun, commits.getAsLong());
      newest = sample;
    }
    return Math.max(least, sample.commits);
  }
}
