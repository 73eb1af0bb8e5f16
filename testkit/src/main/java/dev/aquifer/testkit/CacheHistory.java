package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * A random schedule of reads, writes, voids and faults over three nodes of a cache on one real
 * Redis, each behind a {@link FaultProxy} of its own; a {@link HistoryChecker} judges it.
 *
 * <pre>{@code
 * HistoryVerdict verdict =
 *     CacheHistory.of(seed).operations(20_000).run(redis, host -> new MyNode(host));
 * verdict.assertFresh();
 * }</pre>
 *
 * <p>A schedule has few keys, read and written all the time; tenants with many operations and such
 * with few; writes that are voided by key, keys, group, table, cache, tenant and everywhere; values
 * that are put, and removed; sessions that move between nodes, with the token of where they were
 * and without. The clocks of nodes are five minutes apart. The seed decides what each thread does
 * and which faults there are, not how threads interleave.
 *
 * <p>Immutable.
 */
public final class CacheHistory {
  static final List<String> CACHES = List.of("rows", "groups");
  private static final int NODES = 3;
  private static final int QUIET_TENANTS = 8;

  /** What is done to the nodes' links and to Redis. */
  public enum Fault {
    /** A node's connections are reset. */
    CUT,
    /** They are reset, and new ones refused for a while. */
    REFUSE,
    /** A node's link delivers late. */
    DELAY,
    /** What a node's link is given is lost, and nobody is told. */
    DROP,
    /** A node's link stands still. */
    HOLD,
    /** Nothing more comes from Redis on the connections that a node has. */
    HALF_CLOSE,
    /** A node, its threads and its link stand still. */
    NODE_PAUSED,
    /** Redis is stopped (SIGSTOP). */
    REDIS_PAUSED,
    /** Redis ends, and is started again with nothing in it. */
    REDIS_RESTARTED,
    /** All that is in Redis is deleted. */
    REDIS_EMPTIED,
    /** Redis closes all connections. */
    REDIS_DISCONNECTS,
    /** Redis is as it was a while ago: what was voided since is not. */
    REDIS_SET_BACK,
    /** Of a node's connections every other one delivers late: events come after answers. */
    LAG,
    /** A node's loads take long, and have read what they return before. */
    SLOW_LOADS,
    /** A node ends, and a new one takes its place. */
    NODE_REPLACED,
    /** A node works otherwise for a while; see {@link CacheUnderTest#change}. */
    NODE_CHANGED
  }

  private final CacheHistoryPlan plan;

  private CacheHistory(CacheHistoryPlan plan) {
    this.plan = plan;
  }

  private CacheHistory with(Consumer<CacheHistoryPlan> change) {
    CacheHistoryPlan next = plan.copy();
    change.accept(next);
    return new CacheHistory(next);
  }

  /** 20,000 operations by 6 threads, with tokens and all faults, and a silence limit of 500 ms. */
  public static CacheHistory of(long seed) {
    CacheHistoryPlan plan = new CacheHistoryPlan();
    plan.seed = seed;
    return new CacheHistory(plan);
  }

  /** About how many operations there are; 100 or more. */
  public CacheHistory operations(int count) {
    if (count < 100) {
      throw new IllegalArgumentException("operations " + count + " are fewer than 100");
    }
    return with(next -> next.operations = count);
  }

  /** How many threads work; each is on any node. */
  public CacheHistory threads(int count) {
    return with(next -> next.threads = count);
  }

  /**
   * After how long without a word from Redis a node must assume the worst: the bound that reads
   * without a token are held to.
   */
  public CacheHistory silenceLimit(Duration limit) {
    return with(next -> next.silenceLimit = limit);
  }

  /** Sessions take no tokens with them: for caches that have none. */
  public CacheHistory withoutTokens() {
    return with(next -> next.tokens = false);
  }

  /** About how often something is done to links and to Redis, and what; none means no faults. */
  public CacheHistory faults(int count, Set<Fault> some) {
    return with(
        next -> {
          next.faultCount = count;
          next.faults = Set.copyOf(some);
        });
  }

  /** How writes are voided: in all ways by default. */
  public CacheHistory voids(Set<Scope.Kind> kinds) {
    if (kinds.isEmpty()) {
      throw new IllegalArgumentException("voids: none is named; name one kind at least");
    }
    return with(next -> next.voids = Set.copyOf(kinds));
  }

  /** Loads take long on all nodes, and have read what they return before: voids overtake them. */
  public CacheHistory slowLoads() {
    return with(next -> next.slowLoads = true);
  }

  /**
   * Writes of tables, and of all tenants, are transactions: most are committed and voided, some
   * rolled back, some have an outcome that nobody knows, and the writers of some are gone before
   * they void anything, some of them with their node.
   */
  public CacheHistory transactions() {
    return with(next -> next.transactions = true);
  }

  /**
   * The source has a replica, which lags by some milliseconds, stands still now and then, and
   * catches up. Loads are answered by it where it has replayed what they demand.
   */
  public CacheHistory replica() {
    return with(next -> next.replica = true);
  }

  /** Most of what is written is put into the cache as well. */
  public CacheHistory puts() {
    return with(next -> next.puts = true);
  }

  /** Tenants with many operations are written as often as they are read. */
  public CacheHistory busyWriters() {
    return with(next -> next.busyWriters = true);
  }

  /**
   * Most reads are of many keys, and tenants with many operations have ten times as many in each
   * cache.
   *
   * @param keys up to how many are read together, 2 or more
   */
  public CacheHistory readTogether(int keys) {
    if (keys < 2) {
      throw new IllegalArgumentException("keys read together are " + keys + ", fewer than 2");
    }
    return with(next -> next.together = keys);
  }

  /** Another fault: what it does to Redis, at once. */
  public CacheHistory harm(String name, Consumer<RedisServer> harm) {
    Map<String, Consumer<RedisServer>> more = new LinkedHashMap<>(plan.harms);
    more.put(name, harm);
    return with(next -> next.harms = more);
  }

  /**
   * Runs the schedule. Redis is emptied first.
   *
   * @throws IllegalStateException a node cannot be opened, or a thread was stuck for two minutes
   */
  public HistoryVerdict run(RedisServer redis, CacheUnderTest.Factory factory)
      throws InterruptedException {
    SplittableRandom random = new SplittableRandom(plan.seed);
    HistoryChecker history = HistoryChecker.create();
    redis.command("FLUSHALL");
    ExecutorService executor = Executors.newCachedThreadPool(CacheHistory::thread);
    CacheSource source = new CacheSource(plan.replica ? new CacheReplica(random.split()) : null);
    CacheHistoryNodes nodes = new CacheHistoryNodes(redis, executor, source, plan, factory);
    try {
      nodes.open(NODES);
      CacheHistoryWorld world = new CacheHistoryWorld(history, nodes, source, QUIET_TENANTS, plan);
      LongAdder done = new LongAdder();
      CountDownLatch ended = new CountDownLatch(plan.threads);
      List<Future<?>> workers = new ArrayList<>();
      for (int i = 0; i < plan.threads; i++) {
        CacheHistoryWorker worker = new CacheHistoryWorker(world, random.split(), done);
        workers.add(executor.submit(() -> worker.run(plan.operations / plan.threads, ended)));
      }
      new CacheHistoryFaults(world, redis, nodes, random.split(), plan).run(done, ended);
      for (Future<?> worker : workers) {
        worker.get(2, TimeUnit.MINUTES);
      }
      // Who comes late knows nothing but what Redis says.
      nodes.open(1);
      world.readEverywhere(plan.silenceLimit);
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      throw new IllegalStateException("schedule " + plan.seed + " did not end: " + e, e);
    } finally {
      nodes.close();
      executor.shutdownNow();
    }
    return history.check(plan.silenceLimit);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "cache-history");
    thread.setDaemon(true);
    return thread;
  }

  static List<Place> places(String tenant, int keys) {
    List<Place> all = new ArrayList<>();
    for (String cache : CACHES) {
      for (int key = 0; key < keys; key++) {
        all.add(new Place(tenant, cache, key));
      }
    }
    return all;
  }
}
