package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What happens along one line of time of one tenant, for whoever keeps answers about it outside the
 * caches, as time series do. Ranges of it are void on all nodes by the same events, in the same
 * order and with the same guarantees as keys and tags of a {@link TieredCache}: at once for the
 * session that voided them and for who bears its token, elsewhere when the event arrives, and where
 * the link to Redis is lost nothing that is kept may be served after {@link
 * CachesBuilder#silenceLimit}.
 *
 * <p>Thread-safe. Made by {@link Caches#timeline}; closed when nothing is kept any more.
 */
public final class Timeline implements AutoCloseable {
  /**
   * A range of time, in nanoseconds since 1970.
   *
   * @param start the first moment in it
   * @param stop the first moment after it
   */
  public record Span(long start, long stop) {
    private static final long MILLI = 1_000_000;

    /** Checks that it is a range. */
    public Span {
      if (start >= stop) {
        throw new IllegalArgumentException(
            "A range starts at %d ns, which is not before its end %d ns.".formatted(start, stop));
      }
    }

    /** Beyond what nanoseconds can say it goes on for ever. */
    static Span ofMillis(long start, long stop) {
      return new Span(nanos(start), nanos(stop));
    }

    private static long nanos(long millis) {
      long most = Long.MAX_VALUE / MILLI;
      return millis >= most ? Long.MAX_VALUE : millis <= -most ? Long.MIN_VALUE : millis * MILLI;
    }

    long startMillis() {
      return Math.floorDiv(start, MILLI);
    }

    long stopMillis() {
      return Math.floorDiv(stop - 1, MILLI) + 1;
    }
  }

  /**
   * Told what is void, in order, under a lock of the cache and before any session is told that it
   * is: it must not block, nor call the cache, but may close the timeline.
   */
  public interface Listener {
    /** What was read of this range before this call. */
    void voided(Span span);

    /** All that was read before this call. */
    void voidedAll();
  }

  /**
   * How far both partitions were, that of the tenant and that of work without one.
   *
   * @param incarnation of the state of the tenant's
   * @param sequence up to which all was applied here
   * @param sharedIncarnation of the state of the other
   * @param sharedSequence up to which all was applied here
   */
  public record Moment(
      long incarnation, long sequence, long sharedIncarnation, long sharedSequence) {}

  /**
   * A value that Redis has.
   *
   * @param payload as it was kept; null: it is all void, or damaged
   * @param age since it was kept, by Redis' clock
   * @param voided ranges that were void since it was current; empty: it is current
   * @param version for {@link #keep}, to take its place
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Found(byte @Nullable [] payload, Duration age, List<Span> voided, byte[] version) {}

  /**
   * How a value is to be kept.
   *
   * @param expected the version that it takes the place of; null: there is nothing
   * @param maxBytes of it, compressed
   * @param life how long Redis keeps it
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Place(byte @Nullable [] expected, int maxBytes, Duration life) {}

  /** A question to Redis that was sent. Used by the thread that asked, once. */
  public interface Asked {
    /**
     * Waits for the answer, no longer than {@link CachesBuilder#remoteTimeout} from the question.
     *
     * @param damaged told how many were none, or too large
     * @return for each key what there is; null where there is nothing, and for all where Redis does
     *     not answer in time
     */
    List<@Nullable Found> await(IntConsumer damaged);
  }

  /** What became of a value that was to be kept. */
  public enum Kept {
    /** It is in Redis. */
    KEPT,
    /**
     * Some of it may be void, or be about to be: what is known here now is later than its moment.
     */
    VOID,
    /** Redis has another version than the one that it was to take the place of. */
    CONFLICT,
    /** It has more bytes than it may. */
    TOO_LARGE,
    /** Redis failed, did not answer in time, or does not know yet of all that is void here. */
    UNKNOWN
  }

  /**
   * What voids a range is told to whoever keeps windows of it. A test takes it out to show that it
   * would notice; always on outside tests.
   */
  volatile boolean tells = true;

  private static final byte[] NO_TOKEN = {};

  private final Node node;
  private final Tenant tenant;
  private final String name;
  private final List<String> tags;
  private final TimelineStore store;
  private final Listener listener;
  private volatile Bound bound;
  private volatile boolean closed;

  /** Where it is now; another once the tenant's partitions were closed. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Bound(Partition partition, TagCell[] cells, TagCell[] shared) {}

  private final Partition.Watcher watcher =
      new Partition.Watcher() {
        @Override
        public void voided(Collection<String> names) {
          tell(names);
        }

        @Override
        public void voidedAll() {
          listener.voidedAll();
        }
      };

  Timeline(Node node, Tenant tenant, String name, Set<Tag> tags, Listener listener) {
    this.node = node;
    this.tenant = tenant;
    this.name = name;
    this.tags = tags.stream().map(tag -> KeyText.tagName(tag.name())).toList();
    this.listener = listener;
    this.store = new TimelineStore(node, name, this.tags);
    node.shared.watch(watcher);
    this.bound = bind();
  }

  /**
   * Whether what is kept may be served to the current session: this node knows of all voids that
   * the session demands, and, unless the link to Redis was proven lately, of all that Redis knows.
   * Asks Redis where that is open, no longer than {@link CachesBuilder#remoteTimeout}. To be asked
   * before what is kept is looked at.
   */
  public boolean current() {
    Partition mine = live().partition;
    CausalSession session = node.sessions.current();
    Remote link = node.remote();
    boolean shown = shows(mine, session);
    if (link == null) {
      return shown;
    }
    boolean proven = proven(mine, link);
    if (proven && shown && mine.incarnation() != 0) {
      return true;
    }
    return refreshed(mine, link) ? shows(mine, session) : proven && shown;
  }

  /** Whether what was read now may be kept: no write is under way that will void it. */
  public boolean keeps() {
    Bound now = bound;
    return !TagCell.anyPoisoned(now.cells) && !TagCell.anyPoisoned(now.shared);
  }

  /**
   * Runs a read of the source; where its node is chosen by position, it is one that has replayed
   * all writes whose voids are known here.
   */
  public void reading(Runnable body) {
    ReadFloor floor =
        node.guards.floors
            ? bound.partition.newestFloor().and(node.shared.newestFloor())
            : ReadFloor.NONE;
    Callable<Boolean> call =
        () -> {
          body.run();
          return true;
        };
    try {
      node.positions.call(floor, call);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("A read threw what it does not declare", e);
    }
  }

  /**
   * The moment that what is kept in memory is current at, taken before it is looked at; null where
   * nothing can be stored in Redis.
   */
  public @Nullable Moment moment() {
    return store.moment(live());
  }

  /**
   * Asks what Redis has, and does not wait: what several timelines are asked before the first
   * answer is awaited takes one round trip. To be asked where {@link #current} is true, and of use
   * only for what is not told void meanwhile.
   *
   * @param most bytes of a payload; larger ones are damaged
   */
  public Asked ask(List<String> keys, int most) {
    return store.ask(live(), keys, most);
  }

  /**
   * Keeps a value in Redis, for all nodes, where nothing of it is void that its moment does not
   * know of.
   *
   * @param span of when it is
   * @param asOf from before it was taken from memory
   */
  public Kept keep(String key, byte[] payload, Span span, Moment asOf, Place place) {
    return store.keep(live(), key, payload, span, asOf, place);
  }

  /**
   * Takes the leases on values that nobody has, so that others may wait for whoever makes one
   * instead of making it too. A lease is no lock: it ends with its time, and keeping asks for none.
   * One round trip, no longer than {@link CachesBuilder#remoteTimeout}.
   *
   * @param token that no other has, for {@link #release}
   * @return for each key whether it is the token's now; null where Redis does not answer
   */
  public @Nullable List<Boolean> lease(List<String> keys, String token, Duration time) {
    return store.lease(live(), keys, StoredKeys.bytes(token), time);
  }

  /** For each key whether somebody has the lease on it; null where Redis does not answer. */
  public @Nullable List<Boolean> leased(List<String> keys) {
    return store.lease(live(), keys, NO_TOKEN, Duration.ofMillis(1));
  }

  /** Ends the leases that are this token's. Does not wait. */
  public void release(List<String> keys, String token) {
    if (!keys.isEmpty()) {
      store.release(live(), keys, StoredKeys.bytes(token));
    }
  }

  /** Nobody is told any more. Idempotent. */
  @Override
  public void close() {
    closed = true;
    node.shared.unwatch(watcher);
    bound.partition.unwatch(watcher);
  }

  private boolean proven(Partition mine, Remote link) {
    return node.nanos.getAsLong() - mine.provenAt(link.provenAt()) <= node.silence();
  }

  private boolean shows(Partition mine, CausalSession session) {
    return mine.shows(mine.applied(), session)
        && mine.counts(session)
        && node.shared.shows(node.shared.applied(), session);
  }

  /** Whether all is applied that was void when this was called. */
  private boolean refreshed(Partition mine, Remote link) {
    try {
      return link.refresh(
              mine.first == null
                  ? List.of(mine, node.shared)
                  : List.of(mine.first, mine, node.shared))
          && !mine.closed();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private Bound live() {
    Bound now = bound;
    while (now.partition.closed() && !closed) {
      now.partition.unwatch(watcher);
      now = bind();
      bound = now;
      // What is kept from before was not told of what the new one heard until now.
      listener.voidedAll();
    }
    return now;
  }

  private Bound bind() {
    Partition partition = node.partitions(tenant).of(name);
    partition.watch(watcher);
    return new Bound(partition, cells(partition), cells(node.shared));
  }

  private TagCell[] cells(Partition partition) {
    return tags.stream().map(partition::cell).toArray(TagCell[]::new);
  }

  private void tell(Collection<String> names) {
    if (!tells) {
      return;
    }
    for (String named : names) {
      KeyText.Range range = KeyText.isRange(named) ? KeyText.range(named) : null;
      if (range != null && range.timeline().equals(name)) {
        listener.voided(range.span());
      } else if (tags.contains(named)) {
        listener.voidedAll();
        return;
      }
    }
  }

  static List<String> names(String timeline, Collection<Span> spans) {
    return spans.stream().map(span -> KeyText.rangeName(timeline, span)).toList();
  }
}
