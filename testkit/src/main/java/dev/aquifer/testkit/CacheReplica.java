package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Place;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * A replica of a {@link CacheSource}: it replays commits in their order, each some time after it
 * was made, and now and then stands still for a while. Used under the source's lock.
 */
final class CacheReplica {
  private static final long LAG = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(300);

  private final SplittableRandom random;
  private final Deque<Sent> waiting = new ArrayDeque<>();
  private final Set<Place> absent = new HashSet<>();
  private long replayed;
  private long lastDue = Long.MIN_VALUE;

  CacheReplica(SplittableRandom random) {
    this.random = random;
  }

  private record Sent(long commit, List<Place> places, boolean remove, long due) {}

  void sent(long commit, List<Place> places, boolean remove, long now) {
    long lag = random.nextLong(random.nextInt(40) == 0 ? PAUSE : LAG);
    lastDue = waiting.isEmpty() ? now + lag : Math.max(lastDue, now + lag);
    waiting.add(new Sent(commit, List.copyOf(places), remove, lastDue));
  }

  /** How many commits it has replayed by now. */
  long replayed(long now) {
    for (Sent next = waiting.peek(); next != null && next.due() - now <= 0; next = waiting.peek()) {
      waiting.remove();
      if (next.remove()) {
        absent.addAll(next.places());
      } else {
        next.places().forEach(absent::remove);
      }
      replayed = next.commit();
    }
    return replayed;
  }

  /** Whether it has no row there. */
  boolean absent(Place place) {
    return absent.contains(place);
  }
}
