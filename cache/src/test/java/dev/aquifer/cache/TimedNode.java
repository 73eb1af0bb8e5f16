package dev.aquifer.cache;

import dev.aquifer.CausalSessions;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A node with one tier whose time stands still, and whose loads run on the calling thread. */
final class TimedNode implements AutoCloseable {
  static final Tenant DFW = Tenant.of("DFW");

  final FakeTicker ticker = new FakeTicker(Long.MAX_VALUE - 1_000);
  final DeterministicScheduler timer = new DeterministicScheduler(ticker);
  final CausalSessions sessions = new CausalSessions();
  final Turn executor = new Turn();
  final List<Observer.Tier> answers = new CopyOnWriteArrayList<>();
  final List<Observer.CacheFault> faults = new CopyOnWriteArrayList<>();
  final Caches caches;

  TimedNode() {
    this(UnaryOperator.identity());
  }

  TimedNode(UnaryOperator<CachesBuilder> settings) {
    caches =
        settings
            .apply(
                Caches.builder()
                    .clock(ticker)
                    .scheduler(timer)
                    .sessions(sessions)
                    .executor(executor)
                    .observer(seen()))
            .build();
    // -ln(1 - 0.6321205588) is 1: what is loaded again is so one load's time early.
    caches.node().lifetimes.random = () -> 1 - 1 / Math.E;
  }

  private Observer seen() {
    return new Observer() {
      @Override
      public void cacheAnswered(String cache, Tenant tenant, Tier tier) {
        answers.add(tier);
      }

      @Override
      public void cacheFault(String cache, CacheFault fault, @Nullable Throwable error) {
        faults.add(fault);
      }
    };
  }

  TieredCache<String, String> cache(UnaryOperator<CacheSettings.Builder> settings) {
    return caches.cache(
        "texts",
        String.class,
        settings.apply(CacheSettings.builder().ttl(Duration.ofMinutes(10)).jitter(0)).build());
  }

  void pass(Duration time) {
    timer.advance(time);
  }

  static <T> T as(Callable<T> body) {
    return TestNode.as(body);
  }

  @Override
  public void close() {
    caches.close();
  }

  /** Runs at once, or, while it is held, when it is told to. */
  static final class Turn implements Executor {
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private boolean held;

    void hold() {
      held = true;
    }

    int waiting() {
      return waiting.size();
    }

    void go() {
      held = false;
      for (Runnable work = waiting.poll(); work != null; work = waiting.poll()) {
        work.run();
      }
    }

    @Override
    public void execute(Runnable work) {
      if (held) {
        waiting.add(work);
      } else {
        work.run();
      }
    }
  }
}
