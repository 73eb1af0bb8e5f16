package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.spi.Observer.CacheFault;
import org.jspecify.annotations.Nullable;

/**
 * Judges entries of Redis that one answer brought. First {@link #answered}; then, for each entry,
 * {@link #judge}, whose findings are here until the next. Used by one thread at a time.
 */
final class Judge {
  private static final int OVERHEAD = 256;
  private static final TagCell[] NONE = {};

  /** What an entry is. */
  enum Verdict {
    /** Damaged, void, or of another schema; or nobody can tell. */
    REFUSED,

    /** Current, and nobody knows for how long. */
    UNDATED,

    /** Current, with its times. */
    DATED
  }

  private final Node node;
  private final TenantView view;
  private final CacheCore cache;
  private final Partition partition;
  private final CausalSession session;

  /** The tick from before it was asked. */
  private final long asked;

  private boolean trusted;
  private long tick;
  private long now;
  private @Nullable ServerClock clock;

  private @Nullable Object value;
  private @Nullable Envelope envelope;
  private long left;
  private TagCell[] cells = NONE;
  private TagCell[] shared = NONE;

  Judge(Node node, TenantView view, CausalSession session, long asked) {
    this.node = node;
    this.view = view;
    this.cache = view.cache;
    this.partition = view.partition;
    this.session = session;
    this.asked = asked;
  }

  /** An answer is there, of this incarnation, when the partition was at this sequence. */
  void answered(long incarnation, long sequence) {
    // Taken before an entry is judged: a void that comes after is then later than this.
    long judging = node.ticks.get();
    tick = partition.knownTo(incarnation, sequence) ? judging : asked;
    Remote remote = node.remote();
    // A void that Redis does not know of yet has no sequence to judge by.
    trusted =
        remote != null
            && remote.readable(partition)
            && remote.readable(node.shared)
            && partition.shows(sequence, session)
            && partition.counts(session)
            && node.shared.shows(node.shared.applied(), session);
    clock = remote == null ? null : remote.clock();
    now = node.nanos.getAsLong();
  }

  /**
   * What the bytes are.
   *
   * @param key where they were found
   * @param ttlMillis how long they still live; negative: what they say themselves holds
   * @param keyCell taken before they were asked for; null: they will not be kept, and no entry that
   *     was in Redis then was void by its key
   */
  Verdict judge(byte[] key, byte[] bytes, long ttlMillis, @Nullable TagCell keyCell) {
    Envelope.Place place = new Envelope.Place(key, cache.values.format);
    Envelope found = Envelope.read(place, bytes);
    if (found == null || !found.writtenBy(cache.values.codec)) {
      boolean foreign = found != null || Envelope.foreign(place, bytes);
      cache.fault(foreign ? CacheFault.FOREIGN : CacheFault.DAMAGED, null);
      return Verdict.REFUSED;
    }
    cells = view.own(keyCell == null ? view.cacheCell : keyCell, found.tags());
    shared = view.shared(node.shared, found.tags());
    boolean current =
        partition.stands(found.incarnation(), found.asOf(), cells)
            && node.shared.stands(found.sharedIncarnation(), found.sharedAsOf(), shared);
    if (!trusted || (node.guards.markers && !current)) {
      return Verdict.REFUSED;
    }
    value = null;
    if (!found.negative()) {
      try {
        value = found.value(cache.values, cache.settings.maxValueBytes());
      } catch (Exception e) {
        cache.fault(CacheFault.DAMAGED, e);
        return Verdict.REFUSED;
      }
    }
    envelope = found;
    left = left(found, ttlMillis);
    return left <= 0 ? Verdict.UNDATED : Verdict.DATED;
  }

  /** How long memory may keep it, in milliseconds; 0 or less: not at all, since nobody knows. */
  private long left(Envelope found, long ttlMillis) {
    if (ttlMillis >= 0) {
      return Math.max(1, ttlMillis);
    }
    ServerClock server = clock;
    if (found.ends() == 0 || server == null || !server.known()) {
      return 0;
    }
    return Math.min(found.ends() - server.atMost(now), found.ends() - found.created());
  }

  /** The time that the answer is judged at. */
  long now() {
    return now;
  }

  /** Null: the entry says that there is no value. */
  @Nullable Object value() {
    return value;
  }

  /** Whether it may be past its time, for when a load fails. */
  boolean outlivesItsTime() {
    return found().staleMillis() != 0;
  }

  /** Whether it is within its time. */
  boolean fresh() {
    return Lifetimes.nanos(left) > Lifetimes.nanos(found().staleMillis());
  }

  /** As memory keeps it. */
  Entry entry(String text) {
    Envelope found = found();
    long kept = now + Lifetimes.nanos(left);
    return new Entry(
        value,
        found.negative(),
        kept - Lifetimes.nanos(found.staleMillis()),
        kept,
        Lifetimes.nanos(found.loadMillis()),
        node.guards.earlyTicks ? tick : node.ticks.get(),
        cells,
        shared,
        (found.negative() ? 0 : found.size()) + OVERHEAD + 2 * text.length());
  }

  private Envelope found() {
    return java.util.Objects.requireNonNull(envelope);
  }
}
