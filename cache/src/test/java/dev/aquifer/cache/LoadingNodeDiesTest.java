package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.ChildJvm;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ten nodes want one key. The one that loads it is a process of its own, which is killed, or stands
 * still and comes back when another has loaded. Guard: {@link Guards#leases}.
 */
class LoadingNodeDiesTest {
  private static final Logger LOG = LoggerFactory.getLogger(LoadingNodeDiesTest.class);

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  /** The default, after which nobody answers for a lease; and how late a busy machine may be. */
  private static final Duration LEASE = Duration.ofSeconds(4);

  private static final Duration LATE = Duration.ofSeconds(5);
  private static final Duration SOON = Duration.ofSeconds(30);

  private final AtomicInteger loads = new AtomicInteger();
  private final ExecutorService callers = Executors.newCachedThreadPool();
  private final List<TestNode> nodes = new ArrayList<>();

  @BeforeEach
  void open() {
    REDIS.database().flush();
    for (int i = 0; i < 9; i++) {
      nodes.add(TestNode.open(uri()));
    }
  }

  @AfterEach
  void close() {
    callers.shutdownNow();
    nodes.forEach(TestNode::close);
  }

  private static String uri() {
    return REDIS.database().uri().toString();
  }

  private Flight load(Long id) {
    loads.incrementAndGet();
    return new Flight(id, "FAST", 0);
  }

  private List<Future<Flight>> readEverywhere() {
    List<Future<Flight>> reads = new ArrayList<>();
    for (TestNode node : nodes) {
      reads.add(callers.submit(() -> node.read(1, this::load)));
    }
    return reads;
  }

  private static String first(String pattern) {
    List<?> keys = (List<?>) REDIS.database().command("KEYS", pattern);
    return keys.isEmpty()
        ? ""
        : String.valueOf(REDIS.database().command("GET", String.valueOf(keys.get(0))));
  }

  /** All nine get what one of them loaded, in time. */
  private void awaitTakenOver(List<Future<Flight>> reads, long since) throws Exception {
    for (Future<Flight> read : reads) {
      assertThat(read.get(60, TimeUnit.SECONDS).to()).isEqualTo("FAST");
    }
    Duration took = Duration.ofNanos(System.nanoTime() - since);
    LOG.info("taken over after {}", took);
    assertThat(took).isLessThan(LEASE.plus(LATE));
    assertThat(loads).hasValue(1);
  }

  @Test
  void killed_anotherTakesOverAndAllGetItsValue() throws Exception {
    try (ChildJvm child = ChildJvm.start(LoadingNode.class, uri(), "true")) {
      child.await("loading");
      String token = first("aq:{DFW:0}:l:*");
      assertThat(token).isNotEmpty();
      List<Future<Flight>> reads = readEverywhere();
      child.kill();
      awaitTakenOver(reads, System.nanoTime());
    }
    Eventually.within(SOON).until("stored", () -> first("aq:{DFW:0}:v:*").contains("FAST"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void standsStill_itsLateFillIsRefused(boolean guarded) throws Exception {
    try (ChildJvm child = ChildJvm.start(LoadingNode.class, uri(), Boolean.toString(guarded))) {
      child.await("loading");
      child.pause();
      awaitTakenOver(readEverywhere(), System.nanoTime());
      Eventually.within(SOON).until("stored", () -> first("aq:{DFW:0}:v:*").contains("FAST"));
      child.resume();
      child.tell("go on");
      // Its own caller gets what it loaded; everybody else what is stored.
      assertThat(child.await("loaded")).isEqualTo("SLOW");
      if (guarded) {
        assertThat(child.await("fault")).isEqualTo(CacheFault.FILL_REFUSED.name());
        assertThat(first("aq:{DFW:0}:v:*")).contains("FAST").doesNotContain("SLOW");
      } else {
        Eventually.within(SOON).until("stored", () -> first("aq:{DFW:0}:v:*").contains("SLOW"));
      }
      assertThat(child.end()).isZero();
    }
    try (TestNode late = TestNode.open(uri())) {
      assertThat(late.read(1, this::load).to()).isEqualTo(guarded ? "FAST" : "SLOW");
    }
  }

  /** A node whose loader waits for a word. */
  static final class LoadingNode {
    private LoadingNode() {}

    public static void main(String[] args) throws Exception {
      BufferedReader words =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      try (TestNode node = TestNode.open(args[0])) {
        node.guards().leases = Boolean.parseBoolean(args[1]);
        Flight flight =
            node.read(
                1,
                id -> {
                  System.out.println("loading=" + id);
                  words.readLine();
                  return new Flight(id, "SLOW", 0);
                });
        System.out.println("loaded=" + flight.to());
        if (node.guards().leases) {
          Eventually.within(SOON)
              .until("told", () -> node.faults().contains(CacheFault.FILL_REFUSED));
          System.out.println("fault=" + CacheFault.FILL_REFUSED);
        }
        words.readLine();
      }
    }
  }
}
