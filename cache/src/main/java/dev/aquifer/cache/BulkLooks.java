package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.spi.Observer.Tier;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Plain looks of batches in Redis: a few commands, sent together, so that what one finds is taken
 * while Redis answers the next.
 *
 * <p>Looks are not shared. While many run, which may be for the same keys, further batches are
 * flights at once, which are.
 */
final class BulkLooks {
  /** How many keys one look has. */
  private static final int PART = 512;

  /** How many batches look at a time before others become flights at once. */
  private static final int MOST = 4 * Runtime.getRuntime().availableProcessors();

  private final Node node;
  private final Flights flights;
  private final AtomicInteger running = new AtomicInteger();

  BulkLooks(Node node, Flights flights) {
    this.node = node;
    this.flights = flights;
  }

  /**
   * Begins to look.
   *
   * @param sources of the keys' loads, where one that is found is nearly due
   * @return null where that would tell nothing, or hardly ever finds anything
   */
  @Nullable Batch start(
      BulkKeys keys, CausalSession session, Function<Object, Flight.Source> sources) {
    if (!keys.view.cache.remoteShare.likely() || running.get() >= MOST) {
      return null;
    }
    List<Glance> glances = new ArrayList<>(keys.size() / PART + 1);
    for (int[] part : parts(keys)) {
      Glance glance = Glance.at(node, keys, session, part);
      if (glance == null) {
        break;
      }
      glances.add(glance);
    }
    if (glances.isEmpty()) {
      return null;
    }
    running.incrementAndGet();
    return new Batch(keys, session, sources, glances);
  }

  /** Positions of keys, of one view each, and so of one partition. */
  private static List<int[]> parts(BulkKeys keys) {
    Map<TenantView, List<Integer>> views = null;
    for (int i = 1; i < keys.size() && views == null; i++) {
      if (keys.place(i).view != keys.place(0).view) {
        views = new LinkedHashMap<>();
      }
    }
    List<int[]> parts = new ArrayList<>(keys.size() / PART + 1);
    if (views == null) {
      for (int from = 0; from < keys.size(); from += PART) {
        parts.add(IntStream.range(from, Math.min(keys.size(), from + PART)).toArray());
      }
      return parts;
    }
    for (int i = 0; i < keys.size(); i++) {
      views.computeIfAbsent(keys.place(i).view, view -> new ArrayList<>()).add(i);
    }
    for (List<Integer> ofView : views.values()) {
      for (int from = 0; from < ofView.size(); from += PART) {
        List<Integer> part = ofView.subList(from, Math.min(ofView.size(), from + PART));
        parts.add(part.stream().mapToInt(Integer::intValue).toArray());
      }
    }
    return parts;
  }

  /** The looks of one batch. Either of its methods is called, once. */
  final class Batch {
    private final BulkKeys keys;
    private final CausalSession session;
    private final Function<Object, Flight.Source> sources;
    private final List<Glance> glances;

    Batch(
        BulkKeys keys,
        CausalSession session,
        Function<Object, Flight.Source> sources,
        List<Glance> glances) {
      this.keys = keys;
      this.session = session;
      this.sources = sources;
      this.glances = glances;
    }

    /** Waits; keys whose entries are current are answered then. Returns how others go on. */
    RemoteRead.From await() {
      boolean inTime = true;
      try {
        for (int i = 0; i < glances.size() && inTime; i++) {
          inTime = glances.get(i).await();
        }
      } catch (InterruptedException e) {
        // Others may want what is begun here: it goes on without this thread.
        Thread.currentThread().interrupt();
        inTime = false;
      } finally {
        running.decrementAndGet();
      }
      return found(inTime);
    }

    /** As {@link #await}, with nobody waiting. */
    void then(BiConsumer<RemoteRead.@Nullable From, @Nullable Throwable> next) {
      then(0, next);
    }

    private void then(int i, BiConsumer<RemoteRead.@Nullable From, @Nullable Throwable> next) {
      glances
          .get(i)
          .then(
              (inTime, error) -> {
                if (inTime && error == null && i + 1 < glances.size()) {
                  then(i + 1, next);
                } else {
                  running.decrementAndGet();
                  next.accept(error == null ? found(inTime) : null, error);
                }
              });
    }

    private RemoteRead.From found(boolean inTime) {
      HitShare share = keys.view.cache.remoteShare;
      for (Glance glance : glances) {
        for (int i : glance.positions()) {
          boolean found = !keys.open(i);
          if (glance.told()) {
            share.found(found);
          }
          if (found) {
            hit(i);
          }
        }
      }
      return inTime ? RemoteRead.From.SCRIPT : RemoteRead.From.SOURCE;
    }

    private void hit(int i) {
      flights.answered(keys.view, Tier.L2);
      if (node.remembers()) {
        Object key = keys.key(i);
        flights.found(keys.place(i), key, sources.apply(key), session);
      }
    }
  }
}
