package dev.aquifer.pool;

import dev.aquifer.spi.Observer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds connections that are not given back. Each checkout notes its stack under the real
 * connection, which has one holder at a time: no more is kept than there are connections.
 * Thread-safe.
 */
final class LeakWatch {
  private static final Logger log = LoggerFactory.getLogger(AdaptivePool.class);

  private final String pool;
  private final long threshold;
  private final Observer observer;
  private final LongSupplier nanos;
  private final Map<Connection, Checkout> latest = new ConcurrentHashMap<>();

  LeakWatch(String pool, Duration threshold, Observer observer, LongSupplier nanos) {
    this.pool = pool;
    this.threshold = threshold.toNanos();
    this.observer = observer;
    this.nanos = nanos;
  }

  boolean isOn() {
    return threshold > 0;
  }

  void taken(Connection leased) throws SQLException {
    Thread thread = Thread.currentThread();
    latest.put(
        leased.unwrap(Connection.class),
        new Checkout(
            leased,
            thread.getName(),
            nanos.getAsLong(),
            new Exception("Taken from pool %s by thread %s".formatted(pool, thread.getName()))));
  }

  /** Reports what is new, and forgets what came back. */
  void look() {
    long now = nanos.getAsLong();
    latest.values().removeIf(checkout -> look(checkout, now));
  }

  private boolean look(Checkout checkout, long now) {
    if (isBack(checkout)) {
      if (checkout.reported) {
        log.info("{}: the connection taken by {} came back", pool, checkout.thread);
      }
      return true;
    }
    if (now - checkout.at >= threshold && !checkout.reported) {
      checkout.reported = true;
      Duration held = Duration.ofNanos(now - checkout.at);
      log.warn("{}: a connection is out for {} and may have leaked", pool, held, checkout.stack);
      observer.connectionLeaked(pool, held, checkout.stack);
    }
    return false;
  }

  /** All that are out for too long now. */
  List<LeakReport> reports() {
    List<LeakReport> reports = new ArrayList<>();
    long now = nanos.getAsLong();
    for (Checkout checkout : latest.values()) {
      if (now - checkout.at >= threshold && !isBack(checkout)) {
        Duration held = Duration.ofNanos(now - checkout.at);
        reports.add(new LeakReport(checkout.thread, held, checkout.stack));
      }
    }
    return reports;
  }

  private static boolean isBack(Checkout checkout) {
    try {
      return checkout.leased.isClosed();
    } catch (SQLException e) {
      return true;
    }
  }

  private static final class Checkout {
    final Connection leased;
    final String thread;
    final long at;
    final Exception stack;

    /** Touched by the watching thread only. */
    boolean reported;

    Checkout(Connection leased, String thread, long at, Exception stack) {
      this.leased = leased;
      this.thread = thread;
      this.at = at;
      this.stack = stack;
    }
  }
}
