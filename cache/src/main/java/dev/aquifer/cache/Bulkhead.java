package dev.aquifer.cache;

import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/**
 * Keeps one tenant's loads from taking all threads: so many run, so many wait, the rest is refused.
 * A tenant costs nothing here while none of its loads run.
 *
 * <p>A load that another load waits for runs at once, beside the count: behind it in the queue it
 * would wait for its own end.
 */
final class Bulkhead {
  private static final Duration RETRY = Duration.ofMillis(100);

  private final Executor executor;
  private final ToIntFunction<Tenant> most;
  private final ConcurrentHashMap<Tenant, Line> lines = new ConcurrentHashMap<>();

  /** Written inside the map's compute only. */
  private static final class Line {
    private int running;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  }

  /** A load that has not begun. */
  final class Waiting {
    private final Runnable load;
    private final Consumer<Throwable> rejected;
    private final AtomicBoolean begun = new AtomicBoolean();

    private Waiting(Runnable load, Consumer<Throwable> rejected) {
      this.load = load;
      this.rejected = rejected;
    }

    /** Runs it now, if it did not begin. */
    void hurry() {
      if (begun.compareAndSet(false, true)) {
        try {
          executor.execute(load);
        } catch (RuntimeException | Error e) {
          rejected.accept(e);
        }
      }
    }
  }

  /**
   * Loads run here.
   *
   * @param most how many of a tenant at a time, 0: as many as there are
   */
  Bulkhead(Executor executor, ToIntFunction<Tenant> most) {
    this.executor = executor;
    this.most = most;
  }

  /**
   * Runs the load, now or later.
   *
   * @throws TenantLimitException when too many wait
   */
  void run(Flight flight, Limits limits, Runnable load, Consumer<Throwable> rejected) {
    if (limits.concurrentLoads() == 0 || flight.urgent) {
      executor.execute(load);
      return;
    }
    Tenant tenant = flight.view.tenant;
    Waiting mine = new Waiting(load, rejected);
    boolean[] refused = new boolean[1];
    lines.compute(
        tenant,
        (t, found) -> {
          Line line = found == null ? new Line() : found;
          if (line.running < limits.concurrentLoads()) {
            line.running++;
            mine.begun.set(true);
          } else if (line.waiting.size() < limits.queuedLoads()) {
            line.waiting.add(mine);
          } else {
            refused[0] = true;
          }
          return line;
        });
    if (refused[0]) {
      throw new TenantLimitException(
          tenant,
          "%d loads at a time and %d that wait"
              .formatted(limits.concurrentLoads(), limits.queuedLoads()),
          RETRY);
    }
    if (mine.begun.get()) {
      execute(tenant, List.of(mine));
      return;
    }
    // Whoever comes to wait for it sets the flag first and looks for this second.
    flight.queued = mine;
    if (flight.urgent) {
      mine.hurry();
    }
  }

  /**
   * Runs loads that have a place each; where there is no thread for one, the next has its place.
   */
  private void execute(Tenant tenant, List<Waiting> all) {
    Deque<Waiting> open = new ArrayDeque<>(all);
    for (Waiting next = open.poll(); next != null; next = open.poll()) {
      Waiting load = next;
      try {
        executor.execute(
            () -> {
              try {
                load.load.run();
              } finally {
                execute(tenant, left(tenant));
              }
            });
      } catch (RuntimeException | Error e) {
        open.addAll(left(tenant));
        load.rejected.accept(e);
      }
    }
  }

  /** A load gave its place back; those that may run now have places. */
  private List<Waiting> left(Tenant tenant) {
    List<Waiting> next = new ArrayList<>();
    lines.computeIfPresent(
        tenant,
        (t, line) -> {
          line.running--;
          int limit = most.applyAsInt(tenant);
          while (!line.waiting.isEmpty() && (limit == 0 || line.running < limit)) {
            Waiting first = line.waiting.remove();
            if (first.begun.compareAndSet(false, true)) {
              line.running++;
              next.add(first);
            }
          }
          return line.running == 0 ? null : line;
        });
    return next;
  }

  /** How many of the tenant's loads wait. */
  int waiting(Tenant tenant) {
    int[] count = new int[1];
    lines.computeIfPresent(
        tenant,
        (t, line) -> {
          count[0] = line.waiting.size();
          return line;
        });
    return count[0];
  }

  /** How many tenants have loads running. */
  int size() {
    return lines.size();
  }
}
