package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Host;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;

/** The nodes of a schedule, each behind a proxy of its own. One may take another's place. */
final class CacheHistoryNodes implements AutoCloseable {
  private static final int OPEN_ATTEMPTS = 3;

  private final RedisServer redis;
  private final Executor executor;
  private final CacheSource source;
  private final CacheHistoryPlan plan;
  private final CacheUnderTest.Factory factory;
  private final List<CacheHistoryNode> now = new CopyOnWriteArrayList<>();
  private final ReentrantLock changing = new ReentrantLock();
  private int made;

  CacheHistoryNodes(
      RedisServer redis,
      Executor executor,
      CacheSource source,
      CacheHistoryPlan plan,
      CacheUnderTest.Factory factory) {
    this.redis = redis;
    this.executor = executor;
    this.source = source;
    this.plan = plan;
    this.factory = factory;
  }

  /** Those that there are; the list changes as they do. */
  List<CacheHistoryNode> now() {
    return now;
  }

  void open(int count) {
    for (int i = 0; i < count; i++) {
      now.add(opened());
    }
  }

  /** A new node takes the node's place; the node ends. Returns its name. */
  String replace(CacheHistoryNode node) {
    changing.lock();
    try {
      int at = now.indexOf(node);
      if (at < 0) {
        return "another";
      }
      CacheHistoryNode next = opened();
      now.set(at, next);
      node.close();
      return next.name();
    } finally {
      changing.unlock();
    }
  }

  /** As {@link #replace}, of a node that is gone at once, whatever it was about to tell anybody. */
  String lose(CacheHistoryNode node) {
    node.proxy().refuse();
    node.proxy().reset();
    try {
      return replace(node);
    } catch (IllegalStateException e) {
      // Redis is away, too: it was the node's link alone.
      node.proxy().heal();
      return node.name();
    }
  }

  /** A busy machine may take longer than a node waits for Redis. */
  private CacheHistoryNode opened() {
    for (int left = OPEN_ATTEMPTS - 1; ; left--) {
      try {
        return opened(made++);
      } catch (IllegalStateException e) {
        if (left == 0) {
          throw e;
        }
      }
    }
  }

  private CacheHistoryNode opened(int index) {
    FaultProxy proxy = FaultProxy.to(redis.host(), redis.port());
    CacheHistoryGate gate = new CacheHistoryGate(plan.slowLoads);
    Host host =
        new Host(
            "node-" + (index + 1),
            URI.create("redis://" + proxy.host() + ":" + proxy.port()),
            Duration.ofMinutes(5).multipliedBy(index % 3 - 1L),
            plan.silenceLimit,
            plan.transactionLimit,
            source::commits,
            work ->
                executor.execute(
                    () -> {
                      gate.pass();
                      work.run();
                    }),
            gate::stumble);
    try {
      return new CacheHistoryNode(host, proxy, gate, factory.open(host));
    } catch (Exception e) {
      proxy.close();
      throw new IllegalStateException(host.name() + " cannot be opened", e);
    }
  }

  @Override
  public void close() {
    now.forEach(CacheHistoryNode::close);
  }
}
