package dev.aquifer.replica;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.NodeState;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who belongs to the set, while traffic runs. A node that leaves is drained first: it gets nothing
 * new, and its pool is closed when nobody holds a connection of it any more. Whoever had chosen it
 * just before chooses again, see {@link Lease}. Thread-safe.
 */
final class Members {
  private static final Logger log = LoggerFactory.getLogger(ReplicaSet.class);

  private final Topology topology;
  private final ReplicaSetSettings settings;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean closed;

  Members(Topology topology, ReplicaSetSettings settings) {
    this.topology = topology;
    this.settings = settings;
    try {
      for (ReplicaSetSettings.NodeSettings node : settings.nodes()) {
        topology.add(new Node(node, topology, settings));
      }
    } catch (RuntimeException e) {
      topology.nodes.forEach(node -> node.pool.close());
      throw e;
    }
  }

  /** Starts the monitors of those that were given at first. */
  void start() {
    topology.nodes.forEach(node -> node.monitor.start());
  }

  /** See {@link ReplicaSet#add}. */
  Node add(String url, double weight) {
    ReplicaSetSettings.NodeSettings made = settings.maker().make(url, weight, false);
    String name = made.pool().target();
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("The replica set is closed");
      }
      if (topology.nodes.size() >= ReplicaSet.MAX_NODES) {
        throw new ConfigurationException(
            "A replica set has at most %d nodes; remove one before %s is added"
                .formatted(ReplicaSet.MAX_NODES, name));
      }
      if (topology.nodes.stream().anyMatch(node -> node.name.equals(name))) {
        throw new ConfigurationException("Node %s is in the set already".formatted(name));
      }
      Node node = new Node(made, topology, settings);
      topology.add(node);
      node.monitor.start();
      log.info("{} was added, of weight {}", node, weight);
      return node;
    } finally {
      lock.unlock();
    }
  }

  /** See {@link ReplicaSet#drain}. */
  void drain(String name, boolean drains) {
    Node node = node(name);
    if (node.draining != drains) {
      node.draining = drains;
      log.info("{} {}", node, drains ? "gets no new reads" : "gets reads again");
      settings
          .observer()
          .nodeChanged(
              name,
              drains ? node.state : NodeState.DRAINING,
              drains ? NodeState.DRAINING : node.state,
              "asked for");
    }
  }

  /** See {@link ReplicaSet#weight}. */
  void weight(String name, double weight) {
    node(name).weight = checked(weight);
  }

  static double checked(double weight) {
    if (!(weight > 0) || Double.isInfinite(weight)) {
      throw new ConfigurationException("Weight %s: give one above 0".formatted(weight));
    }
    return weight;
  }

  /** See {@link ReplicaSet#remove}. */
  boolean remove(String name, Duration limit) {
    Node node = node(name);
    if (node.givenAsPrimary || node == topology.primary()) {
      throw new ConfigurationException(
          node == topology.primary()
              ? "%s is the primary; promote another node before it is removed".formatted(name)
              : "%s was given as the primary, and may be it again; only replicas are removed"
                  .formatted(name));
    }
    drain(name, true);
    long deadline = System.nanoTime() + limit.toNanos();
    boolean idle = awaitIdle(node, deadline);
    // Whoever chose it before and leases from here on is told so, and chooses another.
    node.removed = true;
    idle = awaitIdle(node, deadline) && idle;
    lock.lock();
    try {
      topology.remove(node);
    } finally {
      lock.unlock();
    }
    end(node);
    log.info("{} was removed{}", node, idle ? "" : "; connections in use were cut off");
    return idle;
  }

  /** See {@link ReplicaSet#recycle(Duration, String, String)}. */
  void recycle(Duration within, String user, @Nullable String password) {
    lock.lock();
    try {
      Node primary = topology.primary();
      Node tried =
          topology.nodes.stream()
              .filter(Node::isUsable)
              .min(Comparator.comparing(node -> node != primary))
              .orElseThrow(
                  () ->
                      new UnavailableException(
                          "None of %s answers, so user '%s' cannot be tried"
                              .formatted(topology.nodes, user)));
      tried.pool.recycle(within, user, password);
      for (Node node : topology.nodes) {
        node.settings.login().change(user, password);
        node.pool.credentials(user, password);
        node.pool.recycle(within);
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean awaitIdle(Node node, long deadline) {
    return topology.await(
        () -> node.inFlight.get() == 0,
        Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
  }

  private void end(Node node) {
    node.monitor.stop(Duration.ofMillis(1));
    if (node.inFlight.get() > 0) {
      node.pool.abort();
    }
    node.monitor.stop(limit());
    node.pool.close();
  }

  private Duration limit() {
    return settings.probeTimeout().multipliedBy(2).plusSeconds(2);
  }

  void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    topology.nodes.forEach(node -> node.monitor.stop(Duration.ofMillis(1)));
    topology.nodes.forEach(node -> node.monitor.stop(limit()));
    topology.nodes.forEach(node -> node.pool.close());
  }

  private Node node(String name) {
    return topology.nodes.stream()
        .filter(node -> node.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigurationException(
                    "There is no node %s in the set; there are %s"
                        .formatted(name, topology.nodes)));
  }
}
