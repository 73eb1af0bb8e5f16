package dev.aquifer.replica;

import dev.aquifer.sql.FunctionCatalog;
import dev.aquifer.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the server's own functions, views, policies, operators and types do, read on a thread of its
 * own over a connection beside the pools, and read again when it may have changed.
 *
 * <p>Three rules keep an answer right while the catalogue changes. What a statement of this set
 * changes is distrusted from before its commit until it has been read again. What was read replaces
 * what was known before only when the replicas have replayed that far: until then the worse of both
 * holds, as a replica may still run the one and the primary already runs the other. And what could
 * not be read again for {@link #PERIODS_TO_TRUST} periods is not trusted any more. Without trust
 * the worse of the built-in catalogue and of what was known last holds, so that functions of the
 * user's go to the primary. What another client changes is seen after a period at the latest, and
 * at once where it is a name not known before.
 *
 * <p>Thread-safe. Answers come from memory and take no lock.
 */
final class ServerCatalog implements FunctionCatalog, Runnable {
  /** After so many periods without a reading the last one is not trusted. */
  static final int PERIODS_TO_TRUST = 10;

  private static final FunctionCatalog BUILT_IN = FunctionCatalog.builtIn();
  private static final Logger log = LoggerFactory.getLogger(ReplicaSet.class);
  private static final long POLL_NANOS = Duration.ofMillis(20).toNanos();

  /** Readings that an unknown name or a function that may do anything asked for are this apart. */
  private static final long APART_NANOS = Duration.ofSeconds(1).toNanos();

  private static final int MAX_MISSED = 1_000;

  /**
   * What holds now.
   *
   * @param now what was read last
   * @param before what held before, as long as a replica may not have replayed {@code now}
   * @param settled false for the same reason when nothing was known before
   * @param trusted false when the catalogue may have changed since
   */
  private record Known(
      @Nullable CatalogSnapshot now,
      @Nullable CatalogSnapshot before,
      boolean settled,
      boolean trusted) {
    boolean isPending() {
      return now != null && (before != null || !settled);
    }
  }

  private final CatalogHost host;
  private final long every;
  private final long maxLag;
  private final CatalogConnection connection = new CatalogConnection();
  private final Thread thread;
  private final Set<String> missed = ConcurrentHashMap.newKeySet();
  private volatile Known known = new Known(null, null, false, false);
  private volatile boolean stopped;

  /** A reading is due now; one that began before does not count. */
  private volatile boolean due;

  /** A reading is wanted, though not at once. */
  private volatile boolean wanted;

  private volatile Runnable forget = () -> {};
  private final ReentrantLock lock = new ReentrantLock();
  private long changes;
  private String stamp = "";
  private long readAt;
  private long triedAt;
  private long replacedAt;
  private boolean failing;

  ServerCatalog(CatalogHost host, Duration every, Duration maxLag) {
    this.host = host;
    this.every = every.toNanos();
    this.maxLag = maxLag.toNanos();
    this.thread = new Thread(this, "aquifer-catalog");
    thread.setDaemon(true);
  }

  /** What is done whenever answers change: what was concluded from them must be forgotten. */
  void onChange(Runnable forget) {
    this.forget = forget;
  }

  void start() {
    thread.start();
  }

  /** Ends the thread, and waits for it within the limit. */
  void stop(Duration limit) {
    stopped = true;
    LockSupport.unpark(thread);
    connection.abort();
    try {
      thread.join(Math.max(1, limit.toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A statement changes, or has just changed, what is read here. */
  void changed() {
    lock.lock();
    try {
      changes++;
      known = new Known(known.now(), known.before(), known.settled(), false);
      due = true;
    } finally {
      lock.unlock();
    }
    forget.run();
    LockSupport.unpark(thread);
  }

  /** Something that may do anything has run: it is looked for changes soon. */
  void maybeChanged() {
    wanted = true;
  }

  /** Whether what was read last holds, on every replica. */
  boolean isCurrent() {
    Known current = known;
    return current.trusted() && !current.isPending() && !due;
  }

  @Override
  public Effect function(@Nullable String schema, String name) {
    return answer(schema, name, catalog -> catalog.function(schema, name));
  }

  @Override
  public Effect relation(TableName relation) {
    return answer(relation.schema(), relation.name(), catalog -> catalog.relation(relation));
  }

  @Override
  public Effect attribute(String name) {
    return worst(known, catalog -> catalog.attribute(name));
  }

  @Override
  public boolean isPlainOperator(String symbol) {
    return worst(known, catalog -> effect(catalog.isPlainOperator(symbol))) == Effect.HARMLESS;
  }

  @Override
  public boolean isPlainType(@Nullable String schema, String name) {
    return answer(schema, name, catalog -> effect(catalog.isPlainType(schema, name)))
        == Effect.HARMLESS;
  }

  private static Effect effect(boolean plain) {
    return plain ? Effect.HARMLESS : Effect.UNKNOWN;
  }

  private Effect answer(
      @Nullable String schema, String name, Function<FunctionCatalog, Effect> question) {
    Known current = known;
    Effect worst = worst(current, question);
    CatalogSnapshot now = current.now();
    if (worst == Effect.UNKNOWN && now != null && !now.knows(schema, name)) {
      missed(CatalogSnapshot.key(schema, name));
    }
    return worst;
  }

  private static Effect worst(Known current, Function<FunctionCatalog, Effect> question) {
    CatalogSnapshot now = current.now();
    CatalogSnapshot before = current.before();
    boolean builtIn = now == null || !current.trusted() || !current.settled();
    Effect worst = builtIn ? question.apply(BUILT_IN) : Effect.HARMLESS;
    worst = now == null ? worst : CatalogSnapshot.worse(worst, question.apply(now));
    return before == null ? worst : CatalogSnapshot.worse(worst, question.apply(before));
  }

  /** A name that was not there when the catalogue was read asks for the next reading, once. */
  private void missed(String name) {
    if (missed.size() < MAX_MISSED && missed.add(name)) {
      wanted = true;
      LockSupport.unpark(thread);
    }
  }

  @Override
  public void run() {
    while (!stopped) {
      try {
        round();
      } catch (Throwable e) {
        log.error("Reading the catalogue failed unexpectedly; it goes on", e);
        LockSupport.parkNanos(APART_NANOS);
      }
    }
    connection.abort();
  }

  private void round() {
    long now = System.nanoTime();
    long waited = now - triedAt;
    boolean first = triedAt == 0;
    boolean asked =
        (due && (!failing || waited >= APART_NANOS)) || (wanted && waited >= APART_NANOS);
    if (first || asked || waited >= every) {
      read();
      triedAt = System.nanoTime();
    }
    settle();
    boolean soon = due || wanted || known.isPending();
    LockSupport.parkNanos(this, soon ? POLL_NANOS : Math.min(every, APART_NANOS));
  }

  private void read() {
    long begunAfter = changes();
    due = false;
    wanted = false;
    ReplicaSetSettings.NodeSettings node = host.node();
    if (node == null) {
      due = known.now() == null || !known.trusted();
      return;
    }
    try {
      CatalogSnapshot snapshot = connection.read(node, this::snapshot);
      readAt = System.nanoTime();
      publish(snapshot, begunAfter);
      if (failing) {
        failing = false;
        log.info("The catalogue is read again, from {}", node.pool().target());
      }
    } catch (SQLException e) {
      if (!failing && !stopped) {
        failing = true;
        log.warn(
            "The catalogue cannot be read from {}; functions of the database's own go to the primary after {}: {}",
            node.pool().target(),
            Duration.ofNanos(every * PERIODS_TO_TRUST),
            e.getMessage());
      }
      due = !known.trusted();
    }
  }

  /** The one known already, if nothing has changed since. */
  private CatalogSnapshot snapshot(Connection open) throws SQLException {
    String current = CatalogReader.stamp(open);
    CatalogSnapshot last = known.now();
    if (last != null && current.equals(stamp)) {
      return last;
    }
    CatalogSnapshot found = CatalogReader.read(open);
    stamp = current;
    return found;
  }

  private long changes() {
    lock.lock();
    try {
      return changes;
    } finally {
      lock.unlock();
    }
  }

  private void publish(CatalogSnapshot snapshot, long begunAfter) {
    boolean differs;
    lock.lock();
    try {
      Known old = known;
      boolean same = snapshot.equals(old.now());
      boolean trusted = changes == begunAfter;
      differs = !same || trusted != old.trusted();
      CatalogSnapshot before = old.now();
      if (same) {
        known = new Known(before, old.before(), old.settled(), trusted);
      } else {
        missed.clear();
        replacedAt = readAt;
        CatalogSnapshot older = old.before();
        CatalogSnapshot held = before == null || older == null ? before : before.worse(older);
        known = new Known(snapshot, held, before != null && old.settled(), trusted);
      }
    } finally {
      lock.unlock();
    }
    if (differs) {
      forget.run();
    }
  }

  /** What was read is known to hold on the replicas too, or was not read for too long. */
  private void settle() {
    Known current = known;
    long now = System.nanoTime();
    boolean replayed =
        current.isPending() && (host.replayedSince(replacedAt) || now - replacedAt > maxLag);
    boolean old = current.trusted() && now - readAt > every * PERIODS_TO_TRUST;
    if (!replayed && !old) {
      return;
    }
    lock.lock();
    try {
      boolean trusted = known.trusted() && !old;
      known =
          replayed
              ? new Known(known.now(), null, true, trusted)
              : new Known(known.now(), known.before(), known.settled(), trusted);
    } finally {
      lock.unlock();
    }
    forget.run();
  }
}
