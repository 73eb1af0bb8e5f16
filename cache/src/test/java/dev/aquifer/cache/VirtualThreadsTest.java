package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** Callers on virtual threads, where the platform has them. */
@RedisTest
@EnabledForJreRange(min = JRE.JAVA_21)
class VirtualThreadsTest {
  private static final int CALLERS = 10_000;
  private static final int KEYS = 100;

  @TempDir Path folder;

  /** Each key has a hundred callers at the same time, first cold, then hot. */
  @Test
  void get_tenThousandVirtualThreads_oneLoadAKeyAndNothingPinned(RedisDatabase redis)
      throws Exception {
    ConcurrentHashMap<Long, AtomicInteger> loads = new ConcurrentHashMap<>();
    try (TestNode node =
            TestNode.open(
                redis.uri().toString(),
                builder ->
                    // Patient: it is not the link that is tried here.
                    builder
                        .remoteTimeout(Duration.ofSeconds(20))
                        .leaseTime(Duration.ofSeconds(40))
                        .silenceLimit(Duration.ofMinutes(2)));
        Recording recording = new Recording()) {
      recording.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ZERO).withStackTrace();
      ExecutorService callers = virtualThreads();
      try {
        // Loading a class pins; that is not what is tried here either.
        call(callers, node, KEYS, loads);
        recording.start();
        call(callers, node, 0, loads);
        call(callers, node, 0, loads);
      } finally {
        callers.shutdownNow();
      }
      recording.stop();
      Path file = folder.resolve("pinned.jfr");
      recording.dump(file);
      assertThat(RecordingFile.readAllEvents(file)).extracting(VirtualThreadsTest::told).isEmpty();
    }
    assertThat(loads).hasSize(2 * KEYS);
    assertThat(loads).allSatisfy((key, count) -> assertThat(count).hasValue(1));
  }

  private static void call(
      ExecutorService callers,
      TestNode node,
      long from,
      ConcurrentHashMap<Long, AtomicInteger> loads)
      throws Exception {
    CountDownLatch ready = new CountDownLatch(CALLERS);
    CountDownLatch go = new CountDownLatch(1);
    List<Future<TestNode.Flight>> answers = new ArrayList<>();
    for (int caller = 0; caller < CALLERS; caller++) {
      long key = from + caller % KEYS;
      answers.add(
          callers.submit(
              () -> {
                ready.countDown();
                go.await();
                return node.read(key, id -> load(id, loads));
              }));
    }
    assertThat(ready.await(60, TimeUnit.SECONDS)).isTrue();
    go.countDown();
    for (int caller = 0; caller < CALLERS; caller++) {
      assertThat(answers.get(caller).get(60, TimeUnit.SECONDS).id())
          .isEqualTo(from + caller % KEYS);
    }
  }

  private static TestNode.Flight load(Long id, ConcurrentHashMap<Long, AtomicInteger> loads) {
    loads.computeIfAbsent(id, key -> new AtomicInteger()).incrementAndGet();
    return new TestNode.Flight(id, "LAX", 0);
  }

  private static String told(RecordedEvent event) {
    RecordedStackTrace stack = event.getStackTrace();
    return event + (stack == null ? "" : stack.getFrames().toString());
  }

  /** By reflection: the tests are compiled for a Java that has none. */
  private static ExecutorService virtualThreads() throws ReflectiveOperationException {
    Method made = Executors.class.getMethod("newVirtualThreadPerTaskExecutor");
    return (ExecutorService) Objects.requireNonNull(made.invoke(null));
  }
}
