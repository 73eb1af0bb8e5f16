package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
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

  private final long seed;
  private final int operations;
  private final int threads;
  private final Duration silenceLimit;
  private final boolean tokens;
  private final Set<Fault> faults;
  private final Map<String, Consumer<RedisServer>> harms;
  private final int faultCount;
  private final Set<Scope.Kind> voids;
  private final boolean slowLoads;

  private CacheHistory(Plan plan) {
    this.seed = plan.seed;
    this.operations = plan.operations;
    this.threads = plan.threads;
    this.silenceLimit = plan.silenceLimit;
    this.tokens = plan.tokens;
    this.faults = Set.copyOf(plan.faults);
    this.harms = new LinkedHashMap<>(plan.harms);
    this.faultCount = plan.faultCount;
    this.voids = Set.copyOf(plan.voids);
    this.slowLoads = plan.slowLoads;
  }

  /** What is still open about a schedule. */
  private static final class Plan {
    long seed;
    int operations = 20_000;
    int threads = 6;
    Duration silenceLimit = Duration.ofMillis(500);
    boolean tokens = true;
    Set<Fault> faults = EnumSet.allOf(Fault.class);
    Map<String, Consumer<RedisServer>> harms = Map.of();
    int faultCount = 10;
    Set<Scope.Kind> voids = EnumSet.allOf(Scope.Kind.class);
    boolean slowLoads;
  }

  private CacheHistory with(Consumer<Plan> change) {
    Plan plan = new Plan();
    plan.seed = seed;
    plan.operations = operations;
    plan.threads = threads;
    plan.silenceLimit = silenceLimit;
    plan.tokens = tokens;
    plan.faults = faults;
    plan.harms = harms;
    plan.faultCount = faultCount;
    plan.voids = voids;
    plan.slowLoads = slowLoads;
    change.accept(plan);
    return new CacheHistory(plan);
  }

  /** 20,000 operations by 6 threads, with tokens and all faults, and a silence limit of 500 ms. */
  public static CacheHistory of(long seed) {
    Plan plan = new Plan();
    plan.seed = seed;
    return new CacheHistory(plan);
  }

  /** About how many operations there are; 100 or more. */
  public CacheHistory operations(int count) {
    if (count < 100) {
      throw new IllegalArgumentException("operations " + count + " are fewer than 100");
    }
    return with(plan -> plan.operations = count);
  }

  /** How many threads work; each is on any node. */
  public CacheHistory threads(int count) {
    return with(plan -> plan.threads = count);
  }

  /**
   * After how long without a word from Redis a node must assume the worst: the bound that reads
   * without a token are held to.
   */
  public CacheHistory silenceLimit(Duration limit) {
    return with(plan -> plan.silenceLimit = limit);
  }

  /** Sessions take no tokens with them: for caches that have none. */
  public CacheHistory withoutTokens() {
    return with(plan -> plan.tokens = false);
  }

  /** About how often something is done to links and to Redis, and what; none means no faults. */
  public CacheHistory faults(int count, Set<Fault> some) {
    return with(
        plan -> {
          plan.faultCount = count;
          plan.faults = some;
        });
  }

  /** How writes are voided: in all ways by default. */
  public CacheHistory voids(Set<Scope.Kind> kinds) {
    if (kinds.isEmpty()) {
      throw new IllegalArgumentException("voids: none is named; name one kind at least");
    }
    return with(plan -> plan.voids = kinds);
  }

  /** Loads take long on all nodes, and have read what they return before: voids overtake them. */
  public CacheHistory slowLoads() {
    return with(plan -> plan.slowLoads = true);
  }

  /** Another fault: what it does to Redis, at once. */
  public CacheHistory harm(String name, Consumer<RedisServer> harm) {
    Map<String, Consumer<RedisServer>> more = new LinkedHashMap<>(harms);
    more.put(name, harm);
    return with(plan -> plan.harms = more);
  }

  /**
   * Runs the schedule. Redis is emptied first.
   *
   * @throws IllegalStateException a node cannot be opened, or a thread was stuck for two minutes
   */
  public HistoryVerdict run(RedisServer redis, CacheUnderTest.Factory factory)
      throws InterruptedException {
    SplittableRandom random = new SplittableRandom(seed);
    HistoryChecker history = HistoryChecker.create();
    redis.command("FLUSHALL");
    ExecutorService executor = Executors.newCachedThreadPool(CacheHistory::thread);
    CacheHistoryNodes nodes =
        new CacheHistoryNodes(redis, executor, silenceLimit, slowLoads, factory);
    try {
      nodes.open(NODES);
      CacheHistoryWorld world =
          new CacheHistoryWorld(history, nodes.now(), QUIET_TENANTS, tokens, voids);
      LongAdder done = new LongAdder();
      CountDownLatch ended = new CountDownLatch(threads);
      List<Future<?>> workers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        CacheHistoryWorker worker = new CacheHistoryWorker(world, random.split(), done);
        workers.add(executor.submit(() -> worker.run(operations / threads, ended)));
      }
      new CacheHistoryFaults(
              world, redis, nodes, silenceLimit, random.split(), List.copyOf(faults), harms)
          .run(faultCount, operations, done, ended);
      for (Future<?> worker : workers) {
        worker.get(2, TimeUnit.MINUTES);
      }
      // Who comes late knows nothing but what Redis says.
      nodes.open(1);
      world.readEverywhere(silenceLimit);
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      throw new IllegalStateException("schedule " + seed + " did not end: " + e, e);
    } finally {
      nodes.close();
      executor.shutdownNow();
    }
    return history.check(silenceLimit);
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
