package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Whose request runs next: round robin over the tenants that have one waiting and may run one more,
 * so that a tenant waits for one request of each other, however many they have waiting. First come
 * first served within a tenant. A tenant costs nothing here while none of its requests run or wait.
 *
 * <p>Every tenant that has requests waiting and may run one more is in the ring; while fewer run
 * than may, the ring is empty. Not thread-safe.
 */
final class TurnOrder<W> {
  /** What became of a request. */
  enum Entry {
    /** It runs. */
    BEGUN,
    /** It waits. */
    QUEUED,
    /** It was turned away: as many of its tenant wait as may. */
    FULL
  }

  private final int most;
  private final Map<Tenant, Line<W>> lines = new HashMap<>();
  private final ArrayDeque<Line<W>> ring = new ArrayDeque<>();
  private int running;

  private static final class Line<W> {
    private final ArrayDeque<W> waiting = new ArrayDeque<>();
    private int running;
    private int limit;
    private boolean inRing;
  }

  /** So many run at a time, of all tenants. */
  TurnOrder(int most) {
    this.most = most;
  }

  Entry enter(Tenant tenant, RequestLimits limits, W request) {
    Line<W> line = lines.computeIfAbsent(tenant, key -> new Line<>());
    line.limit = limits.concurrent();
    if (running < most && line.running < line.limit) {
      line.running++;
      running++;
      return Entry.BEGUN;
    }
    if (line.waiting.size() >= limits.queued()) {
      forget(tenant, line);
      return Entry.FULL;
    }
    line.waiting.add(request);
    join(line);
    return Entry.QUEUED;
  }

  /** A request of the tenant has ended; those that run now in its place. */
  List<W> leave(Tenant tenant) {
    Line<W> left = lines.get(tenant);
    if (left == null || left.running == 0) {
      throw new IllegalStateException("No request of " + tenant + " runs");
    }
    left.running--;
    running--;
    join(left);
    List<W> next = next();
    forget(tenant, left);
    return next;
  }

  /** The tenant's limit is another; those that run now. */
  List<W> limit(Tenant tenant, RequestLimits limits) {
    Line<W> line = lines.get(tenant);
    if (line == null) {
      return List.of();
    }
    line.limit = limits.concurrent();
    join(line);
    return next();
  }

  /** A request that waits gives up. */
  void withdraw(Tenant tenant, W request) {
    Line<W> line = lines.get(tenant);
    if (line != null && line.waiting.remove(request)) {
      if (line.waiting.isEmpty() && line.inRing) {
        ring.remove(line);
        line.inRing = false;
      }
      forget(tenant, line);
    }
  }

  int running() {
    return running;
  }

  int running(Tenant tenant) {
    Line<W> line = lines.get(tenant);
    return line == null ? 0 : line.running;
  }

  int waiting(Tenant tenant) {
    Line<W> line = lines.get(tenant);
    return line == null ? 0 : line.waiting.size();
  }

  /** How many tenants have requests here. */
  int tenants() {
    return lines.size();
  }

  private List<W> next() {
    List<W> next = new ArrayList<>(1);
    while (running < most && !ring.isEmpty()) {
      Line<W> line = ring.remove();
      line.inRing = false;
      if (line.running < line.limit) {
        next.add(line.waiting.remove());
        line.running++;
        running++;
        join(line);
      }
    }
    return next;
  }

  private void join(Line<W> line) {
    if (!line.inRing && !line.waiting.isEmpty() && line.running < line.limit) {
      line.inRing = true;
      ring.add(line);
    }
  }

  private void forget(Tenant tenant, Line<W> line) {
    if (line.running == 0 && line.waiting.isEmpty()) {
      lines.remove(tenant);
    }
  }
}
