package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes one node on a thread of its own, so that one that hangs delays the judgement of no other,
 * and keeps its health:
 *
 * <pre>
 * HEALTHY --a miss--> SUSPECT --a second miss--> EJECTED --an answer--> PROBING
 *    ^                   |                          ^                     |
 *    +----an answer------+                          +------a miss---------+
 *    +--------- RAMP (10 % to all of the traffic) <------3 answers--------+
 * </pre>
 *
 * <p>A miss is followed at once by the next probe, over a new connection: a killed server refuses
 * that, so that it is out within a probe's time; a halted one is out after two limits. A failure
 * that a caller met takes the node out of use until a probe begun later succeeds. Ejection cuts off
 * all of a replica's connections, which frees callers that wait on a halted server; those of a
 * primary are cut off when it was silent for longer, since its transactions cannot be run
 * elsewhere: the probe that shows it ends when that time does. A replica that lags too far behind
 * is out of use beside all this, and back when it lags less than half as much in three samples.
 *
 * <p>Whatever a round throws is logged, and the next one is tried: the thread ends only with the
 * set.
 */
final class NodeMonitor implements Runnable {
  static final long RAMP_NANOS = Duration.ofSeconds(5).toNanos();

  private static final Logger log = LoggerFactory.getLogger(ReplicaSet.class);

  private static final int ANSWERS_TO_RAMP = 3;
  private static final int SAMPLES_TO_CATCH_UP = 3;
  private static final long FIRST_CONNECT_MILLIS = 2000;
  private static final long LONGEST_PAUSE = Duration.ofSeconds(1).toNanos();

  private final Node node;
  private final Topology topology;
  private final ReplicaSetSettings settings;
  private final Observer observer;
  private final Probe probe;
  private final Thread thread;
  private volatile boolean stopped;
  private volatile boolean wanted;
  private volatile boolean judged;
  private volatile @Nullable SQLException lastFailure;
  private boolean everAnswered;
  private long answeredAt = System.nanoTime();
  private boolean cutOff;
  private int misses;
  private int answers;
  private int goodSamples;

  NodeMonitor(
      Node node,
      ReplicaSetSettings.NodeSettings nodeSettings,
      Topology topology,
      ReplicaSetSettings settings) {
    this.node = node;
    this.topology = topology;
    this.settings = settings;
    this.observer = settings.observer();
    this.probe = new Probe(nodeSettings, settings.probeTimeout());
    this.thread = new Thread(this, "aquifer-probe-" + node.name);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Probes now instead of when it is due. */
  void wake() {
    wanted = true;
    LockSupport.unpark(thread);
  }

  /** Waits until a probe begun after the moment was answered; false when it was not in time. */
  boolean awaitAnswer(long after) {
    wake();
    return topology.await(
        () -> node.positionBegun - after > 0, settings.probeTimeout().multipliedBy(2));
  }

  /** Whether the node has answered, or failed to, at least once. */
  boolean isJudged() {
    return judged;
  }

  /** Why the last probe failed, or null. */
  @Nullable SQLException lastFailure() {
    return lastFailure;
  }

  /** Ends the thread, and waits for it within the limit. */
  void stop(Duration limit) {
    stopped = true;
    LockSupport.unpark(thread);
    try {
      thread.join(Math.max(1, limit.toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void run() {
    while (!stopped) {
      try {
        round();
      } catch (Throwable e) {
        log.error("Probing {} failed unexpectedly; it goes on", node, e);
        pause(LONGEST_PAUSE);
      }
    }
    probe.close();
  }

  private void round() {
    wanted = false;
    long begun = System.nanoTime();
    long accusations = node.accusations.get();
    try {
      answered(probe.ask(connectLimit()), accusations);
    } catch (SQLException e) {
      missed(e, accusations);
    }
    judged = true;
    topology.signal();
    long every = settings.sampleEvery().toNanos();
    if (misses > 1) {
      int doublings = Math.min(6, misses - 2);
      pause(Math.min(LONGEST_PAUSE, Math.max(every, every << doublings)));
    } else if (misses == 0) {
      pause(every - (System.nanoTime() - begun));
    }
  }

  /** A first connection may be slow; one after a miss shows whether the server still accepts. */
  private Duration connectLimit() {
    Duration limit = settings.probeTimeout().multipliedBy(2);
    if (everAnswered && misses == 1) {
      return limit;
    }
    if (everAnswered && misses > 1 && node.role == Role.PRIMARY && !cutOff) {
      long left = settings.primaryTimeout().toNanos() - silence();
      return Duration.ofNanos(Math.max(settings.probeTimeout().toNanos(), left));
    }
    return Duration.ofMillis(Math.max(FIRST_CONNECT_MILLIS, limit.toMillis()));
  }

  private long silence() {
    return System.nanoTime() - answeredAt;
  }

  private void pause(long nanos) {
    long deadline = System.nanoTime() + nanos;
    while (!stopped && !wanted && deadline - System.nanoTime() > 0) {
      LockSupport.parkNanos(deadline - System.nanoTime());
    }
  }

  private void answered(Probe.Answer answer, long accusations) {
    everAnswered = true;
    answeredAt = answer.ended();
    cutOff = false;
    misses = 0;
    lastFailure = null;
    node.lastError = null;
    node.pool.answered();
    topology.answered(node, answer);
    if (node.fenced) {
      node.usable(false, accusations);
      state(NodeState.EJECTED, "fenced");
      return;
    }
    if (node.role == Role.REPLICA) {
      measureLag(answer);
    } else {
      node.lagging = false;
    }
    advance();
    boolean inUse = node.state == NodeState.HEALTHY || node.state == NodeState.RAMP;
    boolean fit = node.role == Role.PRIMARY || !node.lagging;
    node.usable(inUse && fit, accusations);
  }

  private void advance() {
    switch (node.state) {
      case EJECTED, PROBING -> {
        answers++;
        if (!judged || node.role == Role.PRIMARY) {
          // Nothing is known against it; or nothing can take its place.
          state(NodeState.HEALTHY, "answers");
        } else if (answers >= ANSWERS_TO_RAMP) {
          node.ramps(System.nanoTime());
          state(NodeState.RAMP, answers + " answers in a row");
        } else {
          state(NodeState.PROBING, "answers again");
        }
      }
      case RAMP -> {
        if (System.nanoTime() - node.rampFrom >= RAMP_NANOS || node.role == Role.PRIMARY) {
          node.ramped();
          state(NodeState.HEALTHY, "all of its traffic is back");
        }
      }
      case SUSPECT -> state(NodeState.HEALTHY, "answers");
      default -> {}
    }
  }

  private void measureLag(Probe.Answer answer) {
    Position newest = topology.primaryLog.newest();
    Position replayed = answer.position();
    // As of the time at which the answer was given.
    long lag = topology.primaryLog.lagNanos(replayed, answer.ended());
    long bytes = lag < 0 || newest == null ? -1 : Math.max(0, newest.lsn() - replayed.lsn());
    node.lagNanos = lag;
    node.lagBytes = bytes;
    observer.lagSampled(node.name, lag < 0 ? null : Duration.ofNanos(lag), bytes);
    long most = settings.maxLag().toNanos();
    if (lag > most) {
      goodSamples = 0;
      lagging(true, "lags " + Duration.ofNanos(lag));
    } else if (node.lagging && lag >= 0 && lag < most / 2) {
      goodSamples++;
      if (goodSamples >= SAMPLES_TO_CATCH_UP) {
        lagging(false, "has caught up");
      }
    }
  }

  private void lagging(boolean now, String reason) {
    if (node.lagging != now) {
      node.lagging = now;
      NodeState beside = node.state;
      observer.nodeChanged(
          node.name, now ? beside : NodeState.LAGGING, now ? NodeState.LAGGING : beside, reason);
    }
  }

  private void missed(SQLException error, long accusations) {
    lastFailure = error;
    String reason = String.valueOf(error.getMessage());
    node.lastError = reason;
    node.incarnation = new Object();
    misses++;
    answers = 0;
    node.usable(false, accusations);
    if (misses == 1 && node.state == NodeState.HEALTHY) {
      state(NodeState.SUSPECT, reason);
    } else if (node.state != NodeState.EJECTED) {
      state(NodeState.EJECTED, reason);
      node.lagNanos = -1;
      node.lagBytes = -1;
    }
    boolean bears = node.role == Role.PRIMARY && silence() < settings.primaryTimeout().toNanos();
    if (node.state == NodeState.EJECTED && !cutOff && !bears) {
      // Also frees whoever waits on it: a halted server answers nobody.
      cutOff = true;
      node.pool.abort();
    }
  }

  private void state(NodeState to, String reason) {
    NodeState from = node.state;
    if (from != to) {
      node.state = to;
      answers = to == NodeState.PROBING ? answers : 0;
      if (to == NodeState.EJECTED) {
        log.warn("{} is out of use: {}", node, reason);
      } else {
        log.info("{} is {}, was {}: {}", node, to, from, reason);
      }
      observer.nodeChanged(node.name, from, to, reason);
    }
  }
}
