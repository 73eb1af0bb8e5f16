package dev.aquifer.tsquery;

import dev.aquifer.tsquery.SegmentReads.Wanted;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What one query has to do with other nodes: it takes what they have in Redis, and where many
 * windows are missing there, it takes leases on their segments before it fetches them. Segments
 * whose lease another node has are left to that node: the query fetches its own first, gives their
 * leases back when they are stored, and then waits for the others', a little while and once. So
 * nobody waits who has a lease, and no two wait for each other.
 *
 * <p>A lease decides who fetches, never what is true: what its holder stores is judged by what was
 * void meanwhile, as always. Where Redis does not answer, the holder dies or takes long, the query
 * fetches by itself. Used by one thread.
 */
final class Sharing {
  /** Fewer missing windows than this are fetched sooner than anybody is asked about them. */
  static final int MANY = 64;

  private final SecondTier second;
  private final WindowGrid grid;
  private final Track track;
  private final SegmentCodec.Shape shape;
  private final long delay;
  private final long most;
  private boolean asked;
  private boolean leased;
  private Received received = Received.NOTHING;
  private List<Long> mine = List.of();
  private List<Long> theirs = List.of();
  private String token = "";
  private long deadline;

  /**
   * Of one query.
   *
   * @param delay windows that have not ended this long ago are not worth asking others for
   * @param most how many series it may have
   */
  Sharing(
      SecondTier second,
      WindowGrid grid,
      Track track,
      TimeSeriesQuery query,
      long delay,
      long most) {
    this.second = second;
    this.delay = delay;
    this.most = most;
    this.grid = grid;
    this.track = track;
    this.shape = new SegmentCodec.Shape(query.selections().size(), query.groupBy().size());
  }

  /** Whether nobody was asked for what other nodes have. */
  boolean asks() {
    return !asked;
  }

  /**
   * What other nodes are asked for, once; then {@link #receive} must follow.
   *
   * @param missing by the plan of now
   * @return null: nothing
   */
  @Nullable Wanted wanted(Ledger ledger, List<Run> missing, long now) {
    asked = true;
    return wanted(ledger, segments(missing, now));
  }

  private @Nullable Wanted wanted(Ledger ledger, List<Long> indexes) {
    return indexes.isEmpty() ? null : new Wanted(ledger, track, shape, indexes, most);
  }

  void receive(Received segments) {
    received = segments;
  }

  /** What other nodes had, for the plan of now. */
  Received received() {
    Received now = received;
    received = Received.NOTHING;
    return now;
  }

  /** Takes leases; what is left to be fetched by this query. */
  List<Run> claim(Ledger ledger, List<Run> runs, long now) {
    List<Long> indexes = leased ? List.of() : segments(runs, now);
    if (indexes.isEmpty()
        || second.leases.patience().isZero()
        || grid.skips()
        || ended(runs, now) < MANY) {
      return runs;
    }
    leased = true;
    token = UUID.randomUUID().toString();
    deadline = System.nanoTime() + second.leases.patience().toNanos();
    List<Boolean> granted = second.leases.take(ledger, parts(indexes), token);
    if (granted == null) {
      return runs;
    }
    mine = new ArrayList<>();
    theirs = new ArrayList<>();
    for (int i = 0; i < indexes.size(); i++) {
      (granted.get(i) ? mine : theirs).add(indexes.get(i));
    }
    return theirs.isEmpty() ? runs : without(runs, new HashSet<>(theirs), now);
  }

  /** Whether another node fetches some of what was claimed. */
  boolean waits() {
    return !theirs.isEmpty();
  }

  /**
   * Waits until what others fetch is stored, or they have given it up, or time is up; and takes
   * what is there into memory.
   *
   * @param most nanoseconds
   */
  void await(Ledger ledger, long most) {
    List<Long> left = theirs;
    theirs = List.of();
    long until = Math.min(deadline, System.nanoTime() + most);
    second.leases.await(ledger, parts(left), until);
    asked = true;
    Wanted wanted = wanted(ledger, left);
    if (wanted != null) {
      received = second.reads.read(List.of(wanted)).get(0);
    }
  }

  /** Puts what was fetched into Redis, some time later, and ends the leases then. */
  void store(Ledger ledger, List<Run> fetched, long now) {
    Set<Long> stored = new HashSet<>();
    for (long index : segments(fetched, now)) {
      boolean held = mine.contains(index);
      second.later(new Track.Part(track, index), shape, held ? token : "");
      stored.add(index);
    }
    List<Long> rest = mine.stream().filter(index -> !stored.contains(index)).toList();
    mine = List.of();
    second.leases.release(ledger, parts(rest), token);
  }

  /** Nothing will be stored: others may fetch. */
  void giveUp(Ledger ledger) {
    List<Long> held = mine;
    mine = List.of();
    theirs = List.of();
    second.leases.release(ledger, parts(held), token);
  }

  private List<Track.Part> parts(List<Long> indexes) {
    return indexes.stream().map(index -> new Track.Part(track, index)).toList();
  }

  /** The segments with windows to fetch that have ended: those are worth asking others for. */
  private List<Long> segments(List<Run> runs, long now) {
    List<Long> indexes = new ArrayList<>();
    for (Run run : runs) {
      long to = to(run, now);
      for (long at = from(run); at < to; ) {
        long index = Math.floorDiv(at, (long) Segment.LENGTH);
        if (indexes.isEmpty() || indexes.get(indexes.size() - 1) != index) {
          indexes.add(index);
        }
        at = (index + 1) * Segment.LENGTH;
      }
    }
    return indexes;
  }

  private long ended(List<Run> runs, long now) {
    long windows = 0;
    for (Run run : runs) {
      windows += Math.max(0, to(run, now) - from(run));
    }
    return windows;
  }

  private List<Run> without(List<Run> runs, Set<Long> segments, long now) {
    List<Run> left = new ArrayList<>();
    for (Run run : runs) {
      long from = run.from();
      long at = from(run);
      long to = to(run, now);
      while (at < to) {
        long index = Math.floorDiv(at, (long) Segment.LENGTH);
        long end = Math.min(to, (index + 1) * Segment.LENGTH);
        if (segments.contains(index)) {
          add(left, from, at);
          from = end;
        }
        at = end;
      }
      add(left, from, run.to());
    }
    return left;
  }

  private static void add(List<Run> runs, long from, long to) {
    if (from < to) {
      runs.add(new Run(from, to));
    }
  }

  /** The first whole window of a run. */
  private long from(Run run) {
    return Math.max(run.from(), grid.fullFirst());
  }

  /** The first window of a run, from there on, that is cut or has not ended for long enough. */
  private long to(Run run, long now) {
    return Math.min(Math.min(run.to(), grid.fullEnd()), grid.endedBefore(now - delay));
  }
}
