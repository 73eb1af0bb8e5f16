package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheHistory.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** The faults of a schedule, one after the other; some come in pairs. */
final class CacheHistoryFaults {
  /** So long are faults that take effect only after a while. */
  private static final Set<Fault> LONG =
      EnumSet.of(Fault.LAG, Fault.SLOW_LOADS, Fault.NODE_CHANGED);

  private final CacheHistoryWorld world;
  private final HistoryChecker history;
  private final RedisServer redis;
  private final CacheHistoryNodes nodes;
  private final CacheHistoryPlan plan;
  private final SplittableRandom random;
  private final List<Fault> faults;
  private final Map<String, Consumer<RedisServer>> harms;

  CacheHistoryFaults(
      CacheHistoryWorld world,
      RedisServer redis,
      CacheHistoryNodes nodes,
      SplittableRandom random,
      CacheHistoryPlan plan) {
    this.world = world;
    this.history = world.history;
    this.redis = redis;
    this.nodes = nodes;
    this.random = random;
    this.plan = plan;
    this.faults = plan.faults.stream().sorted().toList();
    this.harms = plan.harms;
  }

  /** Returns when the work is done and all is well. */
  void run(LongAdder done, CountDownLatch ended) throws InterruptedException {
    int count = plan.faultCount;
    int kinds = faults.size() + harms.size();
    for (int i = 0; i < count && kinds > 0; i++) {
      long from = (long) plan.operations * (i + random.nextInt(2)) / count;
      while (done.sum() < from && !ended.await(1, TimeUnit.MILLISECONDS)) {
        // Their time has not come.
      }
      List<Runnable> undo = new ArrayList<>();
      try {
        int kind = random.nextInt(kinds);
        undo.add(begin(kind));
        if (random.nextInt(4) == 0) {
          undo.add(begin(random.nextInt(kinds)));
        }
        world.disturbed = true;
        boolean over = ended.await(lasts(kind).toNanos(), TimeUnit.NANOSECONDS);
        if (over) {
          history.note("the work is done");
        }
      } finally {
        world.disturbed = false;
        undo.forEach(Runnable::run);
      }
      history.note("all is well");
    }
    if (!ended.await(5, TimeUnit.MINUTES)) {
      throw new IllegalStateException("threads were stuck for five minutes");
    }
  }

  /** Mostly short; one in four is longer than nodes bear silence. */
  private Duration lasts(int kind) {
    if (kind < faults.size() && LONG.contains(faults.get(kind))) {
      return Duration.ofMillis(100 + random.nextInt(400));
    }
    return random.nextInt(4) == 0
        ? plan.silenceLimit.plus(Duration.ofMillis(random.nextInt(300)))
        : Duration.ofMillis(1 + random.nextInt(60));
  }

  private Runnable begin(int kind) {
    CacheHistoryNode node = nodes.now().get(random.nextInt(nodes.now().size()));
    if (kind >= faults.size()) {
      String name = List.copyOf(harms.keySet()).get(kind - faults.size());
      history.note(name);
      if (!redis.isPaused()) {
        world.losses.incrementAndGet();
        java.util.Objects.requireNonNull(harms.get(name)).accept(redis);
      }
      return () -> {};
    }
    Fault fault = faults.get(kind);
    boolean whole = fault.name().startsWith("REDIS");
    history.note(fault + (whole ? "" : " " + node.name()));
    return whole ? ofRedis(fault) : ofNode(fault, node);
  }

  private Runnable ofRedis(Fault fault) {
    switch (fault) {
      case REDIS_PAUSED -> redis.pause();
      case REDIS_SET_BACK -> {
        redis.resume();
        world.losses.incrementAndGet();
        RedisSnapshot before = redis.snapshot();
        return () -> {
          history.note("Redis is as it was");
          world.losses.incrementAndGet();
          redis.restore(before);
        };
      }
      case REDIS_RESTARTED -> {
        redis.resume();
        world.losses.incrementAndGet();
        redis.kill();
        redis.restart();
      }
      default -> {
        if (!redis.isPaused()) {
          if (fault == Fault.REDIS_EMPTIED) {
            world.losses.incrementAndGet();
            redis.command("FLUSHALL");
          } else {
            redis.flushConnections();
          }
        }
      }
    }
    return redis::resume;
  }

  private Runnable ofNode(Fault fault, CacheHistoryNode node) {
    FaultProxy proxy = node.proxy();
    switch (fault) {
      case CUT -> proxy.reset();
      case REFUSE -> {
        proxy.refuse();
        proxy.reset();
      }
      case DELAY -> proxy.delay(Duration.ofMillis(1 + random.nextInt(40)));
      case DROP -> proxy.drop();
      case HOLD -> proxy.stopReading();
      case HALF_CLOSE -> proxy.halfClose();
      case LAG -> proxy.delayEveryOther(Duration.ofMillis(10 + random.nextInt(50)));
      case SLOW_LOADS -> node.gate().slow(true);
      case NODE_CHANGED -> {
        node.cache().change(1 + random.nextInt(100));
        return () -> node.cache().change(0);
      }
      case NODE_REPLACED -> {
        // None can be opened while Redis does not answer.
        redis.resume();
        history.note(nodes.replace(node) + " in its place");
        return () -> {};
      }
      default -> {
        node.gate().close();
        proxy.stopReading();
      }
    }
    return () -> {
      if (nodes.now().contains(node)) {
        node.gate().open();
        proxy.heal();
      }
    };
  }
}
