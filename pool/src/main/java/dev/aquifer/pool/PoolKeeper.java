package dev.aquifer.pool;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import dev.aquifer.spi.Observer.PoolReason;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pool's own thread. Ten times a second it looks how many callers there are; once a second it
 * has the size decided, and sees to what is due: connections too many, leaks, a server that could
 * not be reached. Whatever a round throws is logged, and the next one is made.
 *
 * <p>HikariCP opens and hands out connections; it is told the largest size and the idle ones to be
 * kept. It closes none that are above a lowered size: those are taken here and evicted.
 */
final class PoolKeeper implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(AdaptivePool.class);
  private static final long LOOK_NANOS = Duration.ofMillis(100).toNanos();
  private static final long DECIDE_NANOS = Duration.ofSeconds(1).toNanos();

  /** A connection said to be idle may be gone a moment later. */
  private static final long TAKE_MILLIS = 20;

  private static final int DRIFT_INTERVALS = 3;

  private final PoolSettings settings;
  private final HikariDataSource pool;
  private final NodeConnections connections;
  private final LoadMeter meter;
  private final Breaker breaker;
  private final LeakWatch leaks;
  private final Recycling recycling;
  private final SizeController controller;
  private final ServerBudget.@Nullable Member member;
  private final Map<PoolReason, LongAdder> counts = counts();
  private final Thread thread;
  private final AtomicInteger surplus = new AtomicInteger();
  private volatile boolean stopped;
  private volatile PoolDecision last;
  private volatile double arrivalRate;
  private volatile double executionSeconds;

  private LoadMeter.Reading before;
  private long decidedAt = System.nanoTime();
  private int waitingBefore;
  private int peak;
  private int allowance;
  private int asked;
  private int drift;
  private int driftIntervals;

  PoolKeeper(
      PoolSettings settings,
      HikariDataSource pool,
      NodeConnections connections,
      LoadMeter meter,
      Breaker breaker,
      LeakWatch leaks,
      Recycling recycling,
      ServerBudget.@Nullable Member member) {
    this.settings = settings;
    this.pool = pool;
    this.connections = connections;
    this.meter = meter;
    this.breaker = breaker;
    this.leaks = leaks;
    this.recycling = recycling;
    this.member = member;
    this.controller = controller(settings);
    this.before = meter.read();
    this.asked = controller.size();
    this.allowance = member == null ? settings.maximumSize() : member.ask(asked);
    int size = Math.min(controller.size(), allowance);
    this.last =
        new PoolDecision(
            PoolReason.STEADY, size, size, settings.minimumIdle(), size, "nothing was seen yet");
    apply(last);
    this.thread = new Thread(this, "aquifer-pool-" + settings.name() + "-keeper");
    thread.setDaemon(true);
    meter.ignore(thread);
  }

  /** Where it begins: what most applications do with, as far as the settings go. */
  private static SizeController controller(PoolSettings settings) {
    int initial = settings.adaptive() ? PoolSettings.USUAL_SIZE : settings.maximumSize();
    return new SizeController(
        settings.minimumIdle(),
        settings.maximumSize(),
        initial,
        (int) Math.max(1, settings.idleTimeout().toSeconds()));
  }

  void start() {
    thread.start();
  }

  /** Ends the thread, and waits for it within the limit. */
  void stop(Duration limit) {
    stopped = true;
    thread.interrupt();
    try {
      thread.join(Math.max(1, limit.toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Whether a caller who just got a connection is to have it closed and wait for another: there are
   * more than may be, and all are always in use.
   */
  boolean takeSurplus() {
    return hasSurplus() && surplus.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
  }

  boolean hasSurplus() {
    return surplus.get() > 0;
  }

  PoolDecision last() {
    return last;
  }

  double arrivalRate() {
    return arrivalRate;
  }

  double executionSeconds() {
    return executionSeconds;
  }

  Map<PoolReason, Long> decisions() {
    Map<PoolReason, Long> all = new EnumMap<>(PoolReason.class);
    counts.forEach(
        (reason, count) -> {
          if (count.sum() > 0) {
            all.put(reason, count.sum());
          }
        });
    return all;
  }

  private static Map<PoolReason, LongAdder> counts() {
    Map<PoolReason, LongAdder> all = new EnumMap<>(PoolReason.class);
    for (PoolReason reason : PoolReason.values()) {
      all.put(reason, new LongAdder());
    }
    return all;
  }

  @Override
  public void run() {
    while (!stopped) {
      LockSupport.parkNanos(LOOK_NANOS);
      try {
        if (!stopped && pool.getHikariPoolMXBean() instanceof HikariPool running) {
          round(running);
        }
      } catch (Throwable e) {
        if (!stopped) {
          log.error("{}: keeping the pool failed unexpectedly; it goes on", settings.name(), e);
        }
      }
    }
  }

  private void round(HikariPool running) {
    look(running);
    if (breaker.isDue()) {
      connections.probe();
    }
    if (System.nanoTime() - decidedAt >= DECIDE_NANOS) {
      decide(running);
      leaks.look();
      recycling.look();
    }
    returnExcess(running);
    if (recycling.isRunning()) {
      recycleOne(running);
    }
    int waiting = running.getThreadsAwaitingConnection();
    boolean fewIdle = running.getIdleConnections() < pool.getMinimumIdle();
    if ((waiting > 0 || fewIdle)
        && running.getTotalConnections() < last.maximum()
        && !breaker.isOpen()) {
      // HikariCP opens connections when somebody begins to wait, not when it may have more.
      running.addBagItem(Math.max(1, waiting));
    }
  }

  private void look(HikariPool running) {
    int callers = running.getActiveConnections() + running.getThreadsAwaitingConnection();
    peak = Math.max(peak, callers);
    if (member != null) {
      // Not only once a second: others wait for what this one gives up.
      allowance = member.ask(asked);
      if (settings.adaptive() && allowance < last.maximum()) {
        decided(controller.curb(allowance));
      }
    }
    if (settings.adaptive() && running.getThreadsAwaitingConnection() > 0) {
      PoolDecision surge = controller.surge(callers, allowance);
      if (surge != null) {
        decided(surge);
      }
    }
  }

  private void decide(HikariPool running) {
    long now = System.nanoTime();
    LoadMeter.Reading reading = meter.read();
    int waiting = running.getThreadsAwaitingConnection();
    PoolSample sample =
        new PoolSample(
            (now - decidedAt) / 1e9,
            Math.max(0, arrivals(reading, waiting)),
            Math.max(0, reading.completions() - before.completions()),
            Math.max(0, reading.busySeconds() - before.busySeconds()),
            Math.max(0, reading.waitedSeconds() - before.waitedSeconds()),
            reading.timeouts() - before.timeouts(),
            peak,
            waiting,
            connections.open(),
            connections.takeRefusals(),
            !breaker.isOpen(),
            allowance);
    before = reading;
    waitingBefore = waiting;
    decidedAt = now;
    peak = running.getActiveConnections() + waiting;
    decided(settings.adaptive() ? controller.decide(sample) : fixed(sample));
    asked = settings.adaptive() ? controller.ask() : settings.maximumSize();
    arrivalRate = controller.arrivalRate();
    executionSeconds = controller.executionSeconds();
    reconcile(reading.inUse() - running.getActiveConnections());
  }

  private long arrivals(LoadMeter.Reading reading, int waiting) {
    return reading.completions()
        - before.completions()
        + reading.timeouts()
        - before.timeouts()
        + reading.inUse()
        - before.inUse()
        + waiting
        - waitingBefore;
  }

  private PoolDecision fixed(PoolSample sample) {
    controller.watch(sample);
    int size = Math.min(settings.maximumSize(), allowance);
    PoolReason reason =
        !sample.reachable()
            ? PoolReason.UNREACHABLE
            : sample.refusals() > 0
                ? PoolReason.SERVER_FULL
                : !sample.isPressed()
                    ? PoolReason.STEADY
                    : size < settings.maximumSize() ? PoolReason.BUDGET : PoolReason.LIMIT;
    return new PoolDecision(
        reason,
        last.maximum(),
        size,
        Math.min(size, settings.minimumIdle()),
        Math.max(settings.maximumSize(), sample.peak()),
        "the size is fixed at " + settings.maximumSize());
  }

  private void decided(PoolDecision decision) {
    last = decision;
    Objects.requireNonNull(counts.get(decision.reason())).increment();
    apply(decision);
    if (decision.maximum() != decision.before()) {
      log.debug(
          "{}: at most {} connections, {} before: {}, {}",
          settings.name(),
          decision.maximum(),
          decision.before(),
          decision.reason(),
          decision.explanation());
    }
    settings
        .observer()
        .poolDecided(settings.name(), decision.reason(), decision.before(), decision.maximum());
  }

  private void apply(PoolDecision decision) {
    int size = Math.max(1, decision.maximum());
    if (pool.getMaximumPoolSize() != size) {
      pool.setMaximumPoolSize(size);
    }
    int idle = Math.min(size, decision.idle());
    if (pool.getMinimumIdle() != idle) {
      pool.setMinimumIdle(idle);
    }
  }

  /** Connections that broke while in use are not given back: they are counted out here. */
  private void reconcile(int now) {
    if (now == 0 || Integer.signum(now) != Integer.signum(drift)) {
      drift = now;
      driftIntervals = now == 0 ? 0 : 1;
      return;
    }
    drift = Math.abs(now) < Math.abs(drift) ? now : drift;
    driftIntervals++;
    if (driftIntervals >= DRIFT_INTERVALS) {
      meter.lost(drift);
      before = meter.read();
      drift = 0;
      driftIntervals = 0;
    }
  }

  private void returnExcess(HikariPool running) {
    int keep =
        settings.adaptive() && controller.isUnused() ? settings.minimumIdle() : last.maximum();
    int excess = running.getTotalConnections() - keep;
    for (int i = 0; i < excess && running.getIdleConnections() > 0 && !stopped; i++) {
      Connection idle = take(running);
      if (idle == null) {
        break;
      }
      discard(idle);
    }
    surplus.set(Math.max(0, running.getTotalConnections() - last.maximum()));
  }

  /** Replaces an idle connection that is due; the others are held meanwhile, to come by it. */
  private void recycleOne(HikariPool running) {
    int idle = running.getIdleConnections();
    Connection[] held = new Connection[idle];
    try {
      for (int i = 0; i < idle; i++) {
        Connection taken = take(running);
        if (taken == null) {
          return;
        }
        if (recycling.isDue(taken)) {
          discard(taken);
          return;
        }
        held[i] = taken;
      }
    } catch (SQLException e) {
      log.debug("{}: could not recycle", settings.name(), e);
    } finally {
      for (Connection connection : held) {
        giveBack(connection);
      }
    }
  }

  private static @Nullable Connection take(HikariPool running) {
    try {
      return running.getConnection(TAKE_MILLIS);
    } catch (SQLException e) {
      // Somebody else was quicker, or it was broken and is gone.
      return null;
    }
  }

  private void discard(Connection taken) {
    pool.evictConnection(taken);
    giveBack(taken);
  }

  private static void giveBack(@Nullable Connection connection) {
    if (connection != null) {
      try {
        connection.close();
      } catch (SQLException e) {
        // It is broken, and the pool knows.
        return;
      }
    }
  }
}
