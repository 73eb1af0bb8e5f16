package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Host;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;

/** The nodes of a schedule, each behind a proxy of its own. One may take another's place. */
final class CacheHistoryNodes implements AutoCloseable {
  private final RedisServer redis;
  private final Executor executor;
  private final Duration silenceLimit;
  private final boolean slow;
  private final CacheUnderTest.Factory factory;
  private final List<CacheHistoryNode> now = new CopyOnWriteArrayList<>();
  private int made;

  CacheHistoryNodes(
      RedisServer redis,
      Executor executor,
      Duration silenceLimit,
      boolean slow,
      CacheUnderTest.Factory factory) {
    this.redis = redis;
    this.executor = executor;
    this.silenceLimit = silenceLimit;
    this.slow = slow;
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

  /** A new node, with another name, takes the node's place; the node ends. */
  CacheHistoryNode replace(CacheHistoryNode node) {
    CacheHistoryNode next = opened();
    now.set(now.indexOf(node), next);
    node.close();
    return next;
  }

  private CacheHistoryNode opened() {
    int index = made++;
    FaultProxy proxy = FaultProxy.to(redis.host(), redis.port());
    CacheHistoryGate gate = new CacheHistoryGate(slow);
    Host host =
        new Host(
            "node-" + (index + 1),
            URI.create("redis://" + proxy.host() + ":" + proxy.port()),
            Duration.ofMinutes(5).multipliedBy(index % 3 - 1L),
            silenceLimit,
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
