package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is what in the cluster, told from what the nodes answer.
 *
 * <p>The primary is the node that is not in recovery and is on the highest timeline that any node
 * has shown. A node not in recovery on an older timeline was left behind by a promotion: it is
 * fenced, and its connections are cut off, so that no statement reaches it any more. Of two that
 * claim the same timeline the first stays. A node of another cluster (system identifier) is fenced
 * too.
 *
 * <p>Thread-safe; {@link #primary} is one volatile read.
 */
final class Topology {
  private static final Logger log = LoggerFactory.getLogger(ReplicaSet.class);

  /** In the order in which they came; replaced as a whole. */
  volatile List<Node> nodes = List.of();

  /** The same, for routing. */
  volatile Node[] array = {};

  final PrimaryLog primaryLog;
  private final Observer observer;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean identified;
  private long systemId;
  private int highestTimeline;
  private volatile @Nullable Node primary;

  Topology(PrimaryLog primaryLog, Observer observer) {
    this.primaryLog = primaryLog;
    this.observer = observer;
  }

  void add(Node node) {
    List<Node> more = new ArrayList<>(nodes);
    more.add(node);
    replace(more);
  }

  /** What it may still answer is not listened to. */
  void remove(Node node) {
    List<Node> fewer = new ArrayList<>(nodes);
    fewer.remove(node);
    replace(fewer);
  }

  private void replace(List<Node> now) {
    lock.lock();
    try {
      nodes = List.copyOf(now);
      array = now.toArray(Node[]::new);
    } finally {
      lock.unlock();
    }
  }

  /** The primary as last known, also while it does not answer; null before one was seen. */
  @Nullable Node primary() {
    return primary;
  }

  /** Whether there is a primary that statements may be sent to. */
  boolean isAnswering() {
    Node now = primary;
    return now != null && now.isUsable();
  }

  /** Takes in what a node answered, before its health is judged. */
  void answered(Node node, Probe.Answer answer) {
    lock.lock();
    try {
      if (!nodes.contains(node)) {
        return;
      }
      Position position = answer.position();
      if (!identified) {
        if (!identifies(node, answer)) {
          node.position = position;
          return;
        }
        identified = true;
        systemId = position.systemId();
        nodes.forEach(each -> fenceStranger(each, each.position));
      }
      if (fenceStranger(node, position)) {
        return;
      }
      highestTimeline = Math.max(highestTimeline, position.timeline());
      if (answer.recovering()) {
        node.fenced = false;
        if (primary == node) {
          primary = null;
        }
        role(node, Role.REPLICA);
      } else {
        claimed(node, position);
      }
      node.position = position;
      node.positionBegun = answer.begun();
      if (primary == node) {
        primaryLog.add(answer.begun(), position);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Wakes those who wait for a change. */
  void signal() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the condition, which depends on what probes find; false when the limit is over. */
  boolean await(BooleanSupplier condition, Duration limit) {
    long left = limit.toNanos();
    lock.lock();
    try {
      while (!condition.getAsBoolean()) {
        if (left <= 0) {
          return false;
        }
        left =
            changed.awaitNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)))
                + Math.max(0, left - TimeUnit.SECONDS.toNanos(1));
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return condition.getAsBoolean();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether an answer says which cluster this is: that of the node given as primary, or, once that
   * one has failed to answer, of whoever is a primary now.
   */
  private boolean identifies(Node node, Probe.Answer answer) {
    return node.givenAsPrimary
        || (!answer.recovering()
            && nodes.stream().allMatch(each -> !each.givenAsPrimary || each.monitor.isJudged()));
  }

  /** A node of another cluster is never used. */
  private boolean fenceStranger(Node node, @Nullable Position position) {
    if (position == null || position.systemId() == systemId) {
      return false;
    }
    fence(
        node,
        "it belongs to another cluster, system identifier %s, where that of the set is %s"
            .formatted(
                Long.toUnsignedString(position.systemId()), Long.toUnsignedString(systemId)));
    return true;
  }

  private void claimed(Node node, Position position) {
    Node current = primary;
    if (position.timeline() < highestTimeline) {
      fence(
          node,
          "it writes on timeline %d, but timeline %d exists"
              .formatted(position.timeline(), highestTimeline));
      return;
    }
    if (current == node) {
      return;
    }
    Position currently = current == null ? null : current.position;
    if (current != null && currently != null && currently.timeline() >= position.timeline()) {
      fence(node, "%s is the primary of timeline %d".formatted(current, currently.timeline()));
      return;
    }
    node.fenced = false;
    primary = node;
    role(node, Role.PRIMARY);
    if (current != null) {
      fence(current, "%s was promoted to timeline %d".formatted(node, position.timeline()));
    }
  }

  private void fence(Node node, String reason) {
    if (primary == node) {
      primary = null;
    }
    if (!node.fenced) {
      node.fenced = true;
      log.warn("{} is not used: {}", node, reason);
      node.pool.abort();
    }
    role(node, Role.UNKNOWN);
    node.lastError = reason;
  }

  private void role(Node node, Role to) {
    Role from = node.role;
    if (from != to) {
      node.role(to);
      log.info("{} is now {}, was {}", node, to, from);
      observer.roleChanged(node.name, from, to);
    }
  }
}
