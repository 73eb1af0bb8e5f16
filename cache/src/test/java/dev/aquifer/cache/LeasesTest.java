package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who loads, of many nodes, and who does when that one dies. */
class LeasesTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(30);
  private static final Duration LEASE = Duration.ofMillis(600);

  private final AtomicInteger loads = new AtomicInteger();
  private final CountDownLatch loading = new CountDownLatch(1);
  private final CountDownLatch go = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeEach
  void flush() {
    REDIS.database().flush();
  }

  @AfterEach
  void close() {
    go.countDown();
    threads.shutdownNow();
  }

  private static String uri() {
    return REDIS.database().uri().toString();
  }

  private static TestNode open(String uri, Duration lease) {
    return TestNode.open(
        uri, caches -> caches.remoteTimeout(Duration.ofMillis(500)).leaseTime(lease));
  }

  private Flight slow(Long id) throws InterruptedException {
    loads.incrementAndGet();
    loading.countDown();
    if (!go.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException("never told to go on");
    }
    return new Flight(id, "SLOW", 0);
  }

  private Flight fast(Long id) {
    loads.incrementAndGet();
    return new Flight(id, "FAST", 0);
  }

  /** The token of the one lease that there is. */
  private static String lease() {
    List<?> keys = (List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:l:*");
    return keys.isEmpty()
        ? ""
        : String.valueOf(REDIS.database().command("GET", String.valueOf(keys.get(0))));
  }

  private static String stored() {
    List<?> keys = (List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:v:*");
    return keys.isEmpty()
        ? ""
        : String.valueOf(REDIS.database().command("GET", String.valueOf(keys.get(0))));
  }

  @Test
  void load_longerThanTheLease_keepsIt() throws Exception {
    try (TestNode one = open(uri(), LEASE);
        TestNode two = open(uri(), LEASE)) {
      Future<Flight> first = threads.submit(() -> one.read(1, this::slow));
      assertThat(loading.await(30, TimeUnit.SECONDS)).isTrue();
      long begun = System.nanoTime();
      String token = lease();
      Future<Flight> second = threads.submit(() -> two.read(1, this::fast));
      Eventually.within(SOON)
          .until(
              "the time of some leases has passed",
              () -> {
                assertThat(lease()).isEqualTo(token).isNotEmpty();
                return System.nanoTime() - begun > 4 * LEASE.toNanos();
              });
      assertThat(loads).hasValue(1);
      go.countDown();
      assertThat(first.get(30, TimeUnit.SECONDS).to()).isEqualTo("SLOW");
      assertThat(second.get(30, TimeUnit.SECONDS).to()).isEqualTo("SLOW");
      assertThat(loads).hasValue(1);
    }
  }

  @Test
  void loadingNode_cutOff_isTakenOverAndItsFillRefused() throws Exception {
    try (FaultProxy proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
        TestNode one = open(TestNode.through(proxy, REDIS.database()), LEASE);
        TestNode two = open(uri(), LEASE)) {
      Future<Flight> first = threads.submit(() -> one.read(1, this::slow));
      assertThat(loading.await(30, TimeUnit.SECONDS)).isTrue();
      String token = lease();
      proxy.refuse();
      proxy.reset();
      long begun = System.nanoTime();
      assertThat(two.read(1, this::fast).to()).isEqualTo("FAST");
      assertThat(Duration.ofNanos(System.nanoTime() - begun))
          .isLessThan(LEASE.plus(Duration.ofSeconds(4)));
      assertThat(loads).hasValue(2);
      Eventually.within(SOON).until("stored", () -> stored().contains("FAST"));
      proxy.heal();
      Eventually.within(SOON)
          .until("back", () -> one.caches().node().remote().sync(one.partition()));
      assertThat(token).isNotEmpty().isNotEqualTo(lease());
      go.countDown();
      // Its own callers get what it loaded; everybody else what is stored.
      assertThat(first.get(30, TimeUnit.SECONDS).to()).isEqualTo("SLOW");
      Eventually.within(SOON)
          .until("refused", () -> one.faults().contains(CacheFault.FILL_REFUSED));
      assertThat(stored()).contains("FAST");
    }
  }

  @Test
  void loadingNode_dies_isTakenOverWithinTheDefaultLease() throws Exception {
    Future<Flight> first;
    try (TestNode two = TestNode.open(uri())) {
      try (TestNode one = TestNode.open(uri())) {
        first = threads.submit(() -> one.read(1, this::slow));
        assertThat(loading.await(30, TimeUnit.SECONDS)).isTrue();
        // Without a word to Redis, as by kill -9.
        one.caches().node().remote().close();
        long begun = System.nanoTime();
        assertThat(two.read(1, this::fast).to()).isEqualTo("FAST");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(8));
        assertThat(loads).hasValue(2);
      }
      assertThatThrownBy(() -> first.get(30, TimeUnit.SECONDS))
          .hasRootCauseInstanceOf(InterruptedException.class);
    }
  }

  /** Who waits for another node's load waits for nothing once its own node is closed. */
  @Test
  void close_whileAnotherNodeLoads_callersAreToldAtOnce() throws Exception {
    try (TestNode one = open(uri(), LEASE)) {
      Future<Flight> first = threads.submit(() -> one.read(1, this::slow));
      assertThat(loading.await(30, TimeUnit.SECONDS)).isTrue();
      CompletableFuture<Flight> second;
      try (TestNode two = open(uri(), LEASE)) {
        second =
            TestNode.as(
                () ->
                    two.flights()
                        .getAsync(1L, id -> CompletableFuture.supplyAsync(() -> fast(id))));
        Eventually.within(SOON)
            .until("it was told to wait", () -> two.partition().incarnation() != 0);
        assertThat(second.isDone()).isFalse();
      }
      // Long before its load's own limit, which is 30 s: with an error, or with its own value.
      assertThat(second.handle((value, error) -> true).get(10, TimeUnit.SECONDS)).isTrue();
      go.countDown();
      assertThat(first.get(30, TimeUnit.SECONDS).to()).isEqualTo("SLOW");
    }
  }

  @Test
  void tenNodes_thousandCallersEach_loadOnce() throws Exception {
    List<TestNode> nodes = new ArrayList<>();
    try {
      for (int i = 0; i < 10; i++) {
        nodes.add(
            TestNode.open(
                uri(),
                caches ->
                    caches
                        .remoteTimeout(Duration.ofSeconds(10))
                        .leaseTime(Duration.ofSeconds(20))
                        .silenceLimit(Duration.ofSeconds(30))));
      }
      List<Future<Flight>> callers = new ArrayList<>();
      CountDownLatch start = new CountDownLatch(1);
      for (TestNode node : nodes) {
        // Few that wait, and many that do not.
        for (int i = 0; i < 10; i++) {
          callers.add(
              threads.submit(
                  () -> {
                    start.await();
                    return node.read(1, this::fast);
                  }));
        }
        callers.add(
            threads.submit(
                () -> {
                  start.await();
                  List<CompletableFuture<Flight>> all = new ArrayList<>();
                  for (int i = 0; i < 990; i++) {
                    all.add(
                        DFW.call(
                            () ->
                                node.flights()
                                    .getAsync(
                                        1L, id -> CompletableFuture.supplyAsync(() -> fast(id)))));
                  }
                  for (CompletableFuture<Flight> one : all) {
                    assertThat(one.get(60, TimeUnit.SECONDS).to()).isEqualTo("FAST");
                  }
                  return all.get(0).join();
                }));
      }
      start.countDown();
      for (Future<Flight> caller : callers) {
        assertThat(caller.get(60, TimeUnit.SECONDS).to()).isEqualTo("FAST");
      }
      assertThat(loads).hasValue(1);
    } finally {
      nodes.forEach(TestNode::close);
    }
  }

  @Test
  void build_leaseShorterThanACall_isRefused() {
    assertThatThrownBy(() -> Caches.builder().leaseTime(Duration.ofMillis(40)).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("leaseTime")
        .hasMessageContaining("remoteTimeout");
  }
}
