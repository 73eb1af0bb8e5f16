package dev.aquifer.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * Records what nodes of a cache were asked and answered while writes, voids and faults go on, and
 * says afterwards which answers were stale.
 *
 * <pre>{@code
 * HistoryChecker history = HistoryChecker.create();
 * HistoryChecker.Item flight = history.item("flight:42", history.item("table:flight"));
 * HistoryChecker.Session session = history.session("node-1");   // one for each line of work
 *
 * long begun = history.now();
 * long version = source.write(42);                              // the write, and then its void:
 * cache.invalidate(42);
 * session.write(flight, begun, version);
 *
 * begun = history.now();
 * session.read(flight, begun, cache.get(42, source::load).version());
 *
 * history.check(Duration.ofSeconds(2)).assertFresh();
 * }</pre>
 *
 * <p>A write is <em>acknowledged</em> when it is in the source and its void has returned. A read of
 * version {@code v} is stale when a write with a version above {@code v}, to what was read or to
 * one of the items that it depends on, was acknowledged before the read began
 *
 * <ul>
 *   <li>on the same node,
 *   <li>or by the bearer of a token that the read's session had accepted,
 *   <li>or anywhere, more than the stated bound before, if the writer could tell the others: if it
 *       {@linkplain Session#export exported} a token after the write.
 * </ul>
 *
 * <p>Versions are whole numbers that rise with every write: of one counter for all items that
 * depend on each other, such as the source's commits, where a value has the number at which it was
 * loaded; or of a counter for each key where nothing depends on anything else.
 *
 * <p>Costs about 40 bytes and a clock reading for each operation. Thread-safe, except that a
 * session is one thread's at a time; {@link #check} is for when all work has ended.
 */
public final class HistoryChecker {
  private final LongSupplier nanos;
  private final ConcurrentHashMap<String, Item> items = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Integer> nodes = new ConcurrentHashMap<>();
  private final AtomicInteger nodeCount = new AtomicInteger();
  private final List<HistoryLog> logs = new CopyOnWriteArrayList<>();
  private final List<HistoryNote> notes = new CopyOnWriteArrayList<>();
  private final AtomicInteger sessions = new AtomicInteger();

  private HistoryChecker(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /** An empty history, on this process's monotonic clock. */
  public static HistoryChecker create() {
    return on(System::nanoTime);
  }

  /** The same on another clock: one for all nodes. */
  static HistoryChecker on(LongSupplier nanos) {
    return new HistoryChecker(nanos);
  }

  /** The time, in nanoseconds: take it before an operation begins. */
  public long now() {
    return nanos.getAsLong();
  }

  /**
   * What is written and read under that name: a key, or a tag of keys.
   *
   * @param name unlike that of any other item; the second call with a name returns the same item
   * @param dependsOn what a value of it depends on besides its own writes; of the first call
   */
  public Item item(String name, Item... dependsOn) {
    return items.computeIfAbsent(name, n -> new Item(n, List.of(dependsOn)));
  }

  /** A line of work on a node, with nothing that it must be shown yet. */
  public Session session(String node) {
    HistoryLog log =
        new HistoryLog(
            sessions.incrementAndGet(),
            node,
            nodes.computeIfAbsent(node, n -> nodeCount.getAndIncrement()));
    logs.add(log);
    return new Session(log);
  }

  /** Puts a line into what is told around a stale read: a fault that began, or ended. */
  public void note(String what) {
    notes.add(new HistoryNote(now(), what));
  }

  /** How many operations were recorded. */
  public long operations() {
    long sum = 0;
    for (HistoryLog log : logs) {
      sum += log.operations();
    }
    return sum;
  }

  /**
   * Judges all that was recorded. The sessions' threads have ended, or at least work no more.
   *
   * @param bound how long after a write was told to others a read elsewhere, of a session without
   *     the writer's token, may still miss it
   */
  public HistoryVerdict check(Duration bound) {
    return new HistoryJudge(List.copyOf(logs), List.copyOf(notes), nodeCount.get(), bound).judge();
  }

  /** What is written and read. Made by {@link HistoryChecker#item}. */
  public static final class Item {
    final String name;
    final List<Item> judgedBy;

    private Item(String name, List<Item> dependsOn) {
      this.name = name;
      Set<Item> all = new LinkedHashSet<>();
      all.add(this);
      all.addAll(dependsOn);
      this.judgedBy = List.copyOf(all);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** What a session exported: its bearer must be shown what the session was shown and wrote. */
  public static final class Token {
    final List<Long> upTo;

    private Token(List<Long> upTo) {
      this.upTo = upTo;
    }
  }

  /** One line of work on one node. One thread's at a time. */
  public final class Session {
    private final HistoryLog log;
    private List<Long> demand = List.of();
    private int untoldFrom;

    private Session(HistoryLog log) {
      this.log = log;
    }

    /** A read ended now, with a value of that version. */
    public void read(Item item, long begun, long version) {
      log.add(HistoryLog.READ, item, version, begun, now(), demand);
    }

    /** A read ended now and said that there is no value. */
    public void readAbsent(Item item, long begun) {
      log.add(HistoryLog.ABSENT, item, 0, begun, now(), demand);
    }

    /** A read ended now with what was never written there: another tenant's or key's value. */
    public void readForeign(Item item, long begun) {
      log.add(HistoryLog.FOREIGN, item, 0, begun, now(), demand);
    }

    /** An operation ended now with an error; it claims nothing. */
    public void failed(Item item, long begun) {
      log.add(HistoryLog.FAILED, item, 0, begun, now(), demand);
    }

    /** A write is acknowledged now: it is in the source, and its void has returned. */
    public void write(Item item, long begun, long version) {
      log.add(HistoryLog.WRITE, item, version, begun, now(), demand);
    }

    /** The same of a write that left no value. */
    public void remove(Item item, long begun, long version) {
      log.add(HistoryLog.REMOVE, item, version, begun, now(), demand);
    }

    /** A write whose void failed: it may be seen, and nobody must see it. */
    public void unacknowledged(Item item, long begun, long version) {
      log.add(HistoryLog.UNSURE, item, version, begun, now(), demand);
    }

    /**
     * A token was exported now: whatever was acknowledged on this node before the export began is
     * known to whoever bears it, and from now on others can know of this session's writes.
     *
     * @param begun when the export began
     */
    public Token export(long begun) {
      long told = now();
      List<Long> upTo = new ArrayList<>(demand);
      while (upTo.size() <= log.nodeIndex) {
        upTo.add(Long.MIN_VALUE);
      }
      upTo.set(log.nodeIndex, begun);
      untoldFrom = log.told(untoldFrom, begun, told);
      return new Token(List.copyOf(upTo));
    }

    /** From now on this session must be shown what the token's exporter was. */
    public void accept(Token token) {
      List<Long> both = new ArrayList<>(demand);
      for (int i = 0; i < token.upTo.size(); i++) {
        if (i < both.size()) {
          both.set(i, Math.max(both.get(i), token.upTo.get(i)));
        } else {
          both.add(token.upTo.get(i));
        }
      }
      demand = List.copyOf(both);
    }
  }
}
