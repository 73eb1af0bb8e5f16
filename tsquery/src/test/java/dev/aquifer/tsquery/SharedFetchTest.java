package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ClusterNode.SECOND;
import static dev.aquifer.tsquery.ClusterNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one real Redis that miss the same windows at once. */
@RedisTest
@SuppressWarnings("FutureReturnValueIgnored") // of holders that never return
class SharedFetchTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final PointsBackend points = new PointsBackend();
  private final Gated first = new Gated();
  private final Gated second = new Gated();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private final FakeTicker nanos = new FakeTicker();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private RedisDatabase redis;
  private FaultProxy proxyOfOne;
  private FaultProxy proxyOfTwo;
  private ClusterNode one;
  private ClusterNode two;

  /** Asks the points, and stands still after it has read them while a gate is there. */
  private final class Gated implements Backend {
    private final AtomicInteger requests = new AtomicInteger();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile boolean failing;

    @Override
    public String name() {
      return points.name();
    }

    @Override
    public void check(TimeSeriesQuery query) {
      points.check(query);
    }

    @Override
    public List<StatementText> render(FetchRequest request) {
      return points.render(request);
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      requests.incrementAndGet();
      if (failing) {
        throw new UnavailableException("the backend is gone");
      }
      points.fetch(request, sink);
      try {
        if (!gate.await(60, TimeUnit.SECONDS)) {
          throw new IllegalStateException("the gate was never opened");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }

    @Override
    public int queriesInRequest() {
      return 8;
    }
  }

  @BeforeEach
  void open(RedisDatabase database) {
    redis = database;
    redis.flush();
    proxyOfOne = FaultProxy.to(redis.server().host(), redis.server().port());
    proxyOfTwo = FaultProxy.to(redis.server().host(), redis.server().port());
    one = node(proxyOfOne, first, series -> series);
    two = node(proxyOfTwo, second, series -> series.remoteWait(Duration.ofSeconds(20)));
    for (int i = 0; i < 1000; i++) {
      points.add("t1", i * 10L * SECOND, Map.of(), i / 10.0);
    }
  }

  @AfterEach
  void close() {
    first.gate.countDown();
    second.gate.countDown();
    threads.shutdownNow();
    one.close();
    two.close();
    proxyOfOne.close();
    proxyOfTwo.close();
  }

  private ClusterNode node(
      FaultProxy proxy, Backend backend, UnaryOperator<TimeSeriesBuilder> settings) {
    String uri = "redis://" + proxy.host() + ":" + proxy.port() + "/" + redis.index();
    return ClusterNode.open(uri, backend, clock, settings, nanos);
  }

  private <T> Future<T> async(Callable<T> call) {
    return threads.submit(call);
  }

  /** Node one is in its fetch, and has the leases. */
  private Future<TimeSeriesResult> fetching(long from, long to) {
    first.gate = new CountDownLatch(1);
    Future<TimeSeriesResult> fetching = async(() -> one.ask(from, to));
    Eventually.within(SOON).until("node one fetches", () -> first.requests.get() == 1);
    return fetching;
  }

  private void awaitWaiting(ClusterNode node, long queries) {
    Eventually.within(SOON)
        .until("it waits", () -> node.series().statistics().fetchesAwaited() >= queries);
  }

  private List<?> leases() {
    return (List<?>) redis.command("KEYS", "aq:{t1:0}:wl:*");
  }

  @Test
  void query_whatAnotherNodeIsFetching_isFetchedOnce() throws Exception {
    Future<TimeSeriesResult> holder = fetching(0, 10_000);
    Future<TimeSeriesResult> waiter = async(() -> two.ask(0, 10_000));
    awaitWaiting(two, 1);
    first.gate.countDown();

    List<Series> truth = two.uncached(0, 10_000);
    assertThat(holder.get(20, TimeUnit.SECONDS).series()).isEqualTo(truth);
    TimeSeriesResult waited = waiter.get(20, TimeUnit.SECONDS);
    assertThat(waited.series()).isEqualTo(truth);
    assertThat(waited.fetched()).isZero();
    assertThat(first.requests).hasValue(1);
    assertThat(second.requests).hasValue(1); // the uncached one
    Eventually.within(SOON).until("no lease is left", () -> leases().isEmpty());
  }

  /** Of many queries on a node one asks Redis, and the others wait for it. */
  @Test
  void query_manyThatWait_areOneWaiterForRedis() throws Exception {
    fetching(0, 10_000);
    List<Future<TimeSeriesResult>> waiters =
        IntStream.range(0, 16).mapToObj(i -> async(() -> two.ask(0, 10_000))).toList();
    awaitWaiting(two, 1);
    first.gate.countDown();
    for (Future<TimeSeriesResult> each : waiters) {
      assertThat(each.get(20, TimeUnit.SECONDS).fetched()).isZero();
    }
    assertThat(second.requests).hasValue(0);
    assertThat(two.series().statistics().fetchesAwaited()).isEqualTo(1);
  }

  /** What is not the other's is fetched meanwhile. */
  @Test
  void query_partlyWhatAnotherNodeIsFetching_fetchesTheRest() throws Exception {
    Future<TimeSeriesResult> holder = fetching(0, 5_120);
    Future<TimeSeriesResult> waiter = async(() -> two.ask(0, 10_000));
    Eventually.within(SOON).until("the rest is fetched", () -> second.requests.get() == 1);
    awaitWaiting(two, 1);
    first.gate.countDown();
    holder.get(20, TimeUnit.SECONDS);
    TimeSeriesResult waited = waiter.get(20, TimeUnit.SECONDS);
    assertThat(waited.fetched()).isEqualTo(1_000 - 512);
    assertThat(second.requests).hasValue(1);
    assertThat(waited.series()).isEqualTo(two.uncached(0, 10_000));
  }

  @Test
  void queryAll_whatAnotherNodeIsFetching_isFetchedOnce() throws Exception {
    fetching(0, 10_000);
    List<TimeSeriesQuery> panels =
        List.of(
            ClusterNode.query(0, 10_000),
            ClusterNode.query(0, 10_000).toBuilder().select(Aggregate.MAX, "value").build());
    Future<List<BatchAnswer>> waiter = async(() -> as(() -> two.series().queryAll(panels)));
    awaitWaiting(two, 1);
    first.gate.countDown();
    List<BatchAnswer> answers = waiter.get(20, TimeUnit.SECONDS);
    assertThat(answers.get(0).orThrow().fetched()).isZero();
    assertThat(answers.get(1).orThrow().fetched()).isEqualTo(1_000);
    assertThat(second.requests).hasValue(1);
    assertThat(answers.get(0).orThrow().series()).isEqualTo(two.uncached(0, 10_000));
  }

  /** The race: the holder has read, a window changes and is void, the holder stores. */
  @Test
  void query_voidWhileAnotherNodeFetches_isNeverStale() throws Exception {
    Future<TimeSeriesResult> holder = fetching(0, 10_000);
    Future<TimeSeriesResult> waiter = async(() -> two.ask(0, 10_000));
    awaitWaiting(two, 1);
    two.late(points, 5_555, 7_000);
    first.gate.countDown();

    List<Series> truth = two.uncached(0, 10_000);
    TimeSeriesResult waited = waiter.get(20, TimeUnit.SECONDS);
    assertThat(waited.series()).isEqualTo(truth);
    assertThat(waited.fetched()).isEqualTo(1);
    holder.get(20, TimeUnit.SECONDS);
    assertThat(two.ask(0, 10_000).series()).isEqualTo(truth);
    Eventually.within(SOON)
        .until("node one was told", () -> one.ask(0, 10_000).series().equals(truth));
  }

  /** The holder is gone, with its lease: the other waits as long as it says, and fetches. */
  @Test
  void query_holderDies_fetchesAfterItsWait() throws Exception {
    fetching(0, 10_000);
    proxyOfOne.drop();
    try (ClusterNode three =
        node(proxyOfTwo, second, series -> series.remoteWait(Duration.ofMillis(50)))) {
      TimeSeriesResult waited = three.ask(0, 10_000);
      assertThat(three.series().statistics().fetchesAwaited()).isEqualTo(1);
      assertThat(waited.fetched()).isEqualTo(1_000);
      assertThat(waited.series()).isEqualTo(three.uncached(0, 10_000));
    }
    for (Object lease : leases()) {
      assertThat((Long) redis.command("PTTL", lease.toString()))
          .isBetween(1L, SegmentLeases.TIME.toMillis());
    }
    assertThat(leases()).hasSize(2);
  }

  @Test
  void query_holderFails_fetchesAtOnce() throws Exception {
    first.failing = true;
    assertThatThrownBy(() -> one.ask(0, 10_000)).isInstanceOf(UnavailableException.class);
    Eventually.within(SOON).until("the leases are given back", () -> leases().isEmpty());
    assertThat(two.ask(0, 10_000).fetched()).isEqualTo(1_000);
  }

  @Test
  void query_redisGoesAwayWhileItWaits_isAnsweredByTheBackend() throws Exception {
    fetching(0, 10_000);
    Future<TimeSeriesResult> waiter = async(() -> two.ask(0, 10_000));
    awaitWaiting(two, 1);
    proxyOfTwo.drop();
    TimeSeriesResult waited = waiter.get(20, TimeUnit.SECONDS);
    assertThat(waited.fetched()).isEqualTo(1_000);
    assertThat(waited.series()).isEqualTo(two.uncached(0, 10_000));
  }

  /** Neither a short tail nor who does not want to is asked about. */
  @Test
  void query_fewWindowsOrNoWait_takesNoLease() throws Exception {
    first.gate = new CountDownLatch(1);
    async(() -> one.ask(0, 10L * (Sharing.MANY - 1)));
    Eventually.within(SOON).until("node one fetches", () -> first.requests.get() == 1);
    assertThat(leases()).isEmpty();
    try (ClusterNode three = node(proxyOfTwo, second, series -> series.remoteWait(Duration.ZERO))) {
      second.gate = new CountDownLatch(1);
      async(() -> three.ask(0, 10_000));
      Eventually.within(SOON).until("node three fetches", () -> second.requests.get() == 1);
      assertThat(leases()).isEmpty();
      second.gate.countDown();
    }
    assertThatThrownBy(() -> TimeSeries.builder().remoteWait(Duration.ofSeconds(-1)))
        .isInstanceOf(ConfigurationException.class);
  }
}
