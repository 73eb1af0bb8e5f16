package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheHistory.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** The faults of a schedule, one after the other; some come in pairs. */
final class CacheHistoryFaults {
  private final HistoryChecker history;
  private final RedisServer redis;
  private final List<CacheHistoryNode> nodes;
  private final Duration silenceLimit;
  private final SplittableRandom random;
  private final List<Fault> faults;
  private final Map<String, Consumer<RedisServer>> harms;

  CacheHistoryFaults(
      HistoryChecker history,
      RedisServer redis,
      List<CacheHistoryNode> nodes,
      Duration silenceLimit,
      SplittableRandom random,
      List<Fault> faults,
      Map<String, Consumer<RedisServer>> harms) {
    this.history = history;
    this.redis = redis;
    this.nodes = nodes;
    this.silenceLimit = silenceLimit;
    this.random = random;
    this.faults = faults.stream().sorted().toList();
    this.harms = harms;
  }

  /** Returns when the work is done and all is well. */
  void run(int count, int operations, LongAdder done, CountDownLatch ended)
      throws InterruptedException {
    int kinds = faults.size() + harms.size();
    for (int i = 0; i < count && kinds > 0; i++) {
      long from = (long) operations * (i + random.nextInt(2)) / count;
      while (done.sum() < from && !ended.await(1, TimeUnit.MILLISECONDS)) {
        // Their time has not come.
      }
      List<Runnable> undo = new ArrayList<>();
      try {
        undo.add(begin(random.nextInt(kinds)));
        if (random.nextInt(4) == 0) {
          undo.add(begin(random.nextInt(kinds)));
        }
        boolean over = ended.await(lasts().toNanos(), TimeUnit.NANOSECONDS);
        if (over) {
          history.note("the work is done");
        }
      } finally {
        undo.forEach(Runnable::run);
      }
      history.note("all is well");
    }
    if (!ended.await(5, TimeUnit.MINUTES)) {
      throw new IllegalStateException("threads were stuck for five minutes");
    }
  }

  /** Mostly short; one in four is longer than nodes bear silence. */
  private Duration lasts() {
    return random.nextInt(4) == 0
        ? silenceLimit.plus(Duration.ofMillis(random.nextInt(300)))
        : Duration.ofMillis(1 + random.nextInt(60));
  }

  private Runnable begin(int kind) {
    CacheHistoryNode node = nodes.get(random.nextInt(nodes.size()));
    if (kind >= faults.size()) {
      String name = List.copyOf(harms.keySet()).get(kind - faults.size());
      history.note(name);
      if (!redis.isPaused()) {
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
      case REDIS_RESTARTED -> {
        redis.resume();
        redis.kill();
        redis.restart();
      }
      default -> {
        if (!redis.isPaused()) {
          if (fault == Fault.REDIS_EMPTIED) {
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
      default -> {
        node.gate().close();
        proxy.stopReading();
      }
    }
    return () -> {
      node.gate().open();
      proxy.heal();
    };
  }
}
