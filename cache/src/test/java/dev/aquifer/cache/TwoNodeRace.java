package dev.aquifer.cache;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Two nodes on one real Redis, and a row that both load. */
abstract class TwoNodeRace {
  static final Duration SOON = Duration.ofSeconds(20);
  static final String STATE = "aq:{DFW:0}:s";
  static final String STREAM = "aq:{DFW:0}:e";
  static final int NEW = 70;

  final AtomicInteger row = new AtomicInteger();
  final AtomicInteger loads = new AtomicInteger();
  TestNode one;
  TestNode two;

  abstract RedisDatabase redis();

  @BeforeEach
  void openNodes() {
    redis().flush();
    one = TestNode.open(uri());
    two = TestNode.open(uri());
  }

  @AfterEach
  void closeNodes() {
    one.close();
    two.close();
  }

  String uri() {
    return redis().uri().toString();
  }

  Flight load(Long id) {
    loads.incrementAndGet();
    return new Flight(id, "HNL", row.get());
  }

  int read(TestNode node, long id) {
    return node.read(id, this::load).delay();
  }

  static boolean stored(TestNode node, long id) {
    return TestNode.as(() -> node.flights().getIfPresent(id)) != null;
  }

  static void awaitStored(TestNode other, long id) {
    Eventually.within(SOON).until("stored", () -> stored(other, id));
  }

  /** Redis has all that the node sent before this, and the node all that Redis had. */
  static void sync(TestNode node) {
    Remote remote = node.caches().node().remote();
    TestNode.as(() -> remote.sync(node.partition()) && remote.sync(node.caches().node().shared));
  }

  /** A read whose loader has read its row and waits, while something else happens. */
  static final class HeldLoad implements AutoCloseable {
    private final CountDownLatch loading = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private Future<?> read;

    /** Returns when the loader waits. */
    HeldLoad begin(Callable<?> body) throws InterruptedException {
      read = thread.submit(body);
      if (!loading.await(20, TimeUnit.SECONDS)) {
        throw new AssertionError("nothing is loaded");
      }
      return this;
    }

    /** For the loader, once it has read. */
    <T> T hold(T loaded) throws InterruptedException {
      loading.countDown();
      if (!go.await(30, TimeUnit.SECONDS)) {
        throw new AssertionError("never told to go on");
      }
      return loaded;
    }

    /** Lets it go on, and waits for the answer. */
    void end() throws Exception {
      go.countDown();
      read.get(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
      go.countDown();
      thread.shutdownNow();
    }
  }
}
