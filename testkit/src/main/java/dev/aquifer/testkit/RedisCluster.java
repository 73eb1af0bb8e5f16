package dev.aquifer.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A Redis Cluster of real servers on loopback, started for a test, and what can go wrong with it.
 *
 * <pre>{@code
 * try (RedisCluster cluster = RedisCluster.builder().replicas(1).start()) {
 *   RedisServer master = cluster.masterOf("flight:42");
 *   master.kill();
 *   cluster.awaitMaster("flight:42", cluster.replicaOf(master));
 * }
 * }</pre>
 *
 * <p>Each node is a {@link RedisServer} with all of its faults. Nothing is left behind when it is
 * closed, or when the JVM ends. Thread-safe.
 */
public final class RedisCluster implements AutoCloseable {
  private static final int SLOTS = 16_384;
  private static final int START_ATTEMPTS = 5;

  // A manual failover that has not happened by then is given up by the server.
  private static final Duration FAILOVER_LIMIT = Duration.ofSeconds(5);

  private final List<RedisServer> nodes;
  private final int masters;
  private final Duration limit;

  private RedisCluster(List<RedisServer> nodes, Builder settings) {
    this.nodes = nodes;
    this.masters = settings.masters;
    this.limit = settings.limit;
  }

  /** Three masters, no replicas. */
  public static RedisCluster start() {
    return builder().start();
  }

  /** Settings of a cluster to start. */
  public static Builder builder() {
    return new Builder();
  }

  /** {@code redis-cluster://127.0.0.1:port,127.0.0.1:port…}: every node that it was made with. */
  public String uri() {
    return nodes.stream()
        .map(node -> node.host() + ":" + node.port())
        .collect(Collectors.joining(",", "redis-cluster://", ""));
  }

  /** All nodes: those that began as masters first, then replicas, in the order of their masters. */
  public List<RedisServer> nodes() {
    return nodes;
  }

  /** The slot of a key. */
  public int slotOf(String key) {
    return Integer.parseInt(String.valueOf(reachable().command("CLUSTER", "KEYSLOT", key)));
  }

  /** The master that has the key's slot, as the nodes that run see it. */
  public RedisServer masterOf(String key) {
    int slot = slotOf(key);
    return server(
        view(reachable()).stream()
            .filter(node -> node.hasSlot(slot))
            .findFirst()
            .orElseThrow(() -> new TestkitException("no node has slot " + slot)));
  }

  /** A replica of the master that runs; waits for what is just becoming one. */
  public RedisServer replicaOf(RedisServer master) {
    await("a replica of " + master + " that runs", () -> findReplica(master).isPresent());
    return findReplica(master)
        .orElseThrow(() -> new TestkitException(master + " has no replica that runs"));
  }

  private Optional<RedisServer> findReplica(RedisServer master) {
    List<RedisClusterNode> view = view(reachable());
    String id =
        view.stream()
            .filter(node -> node.port() == master.port())
            .map(RedisClusterNode::id)
            .findFirst()
            .orElseThrow(() -> new TestkitException(master + " is not of this cluster"));
    return view.stream()
        .filter(node -> node.master().equals(id))
        .map(this::server)
        .filter(RedisServer::isRunning)
        .findFirst();
  }

  /**
   * Makes a replica the master in place of its own, in order: no write is lost. All nodes know when
   * this returns.
   */
  public void promote(RedisServer replica) {
    List<RedisClusterNode> before = view(replica);
    RedisClusterNode self =
        before.stream().filter(RedisClusterNode::myself).findFirst().orElseThrow();
    int slot =
        before.stream()
            .filter(node -> node.id().equals(self.master()))
            .findFirst()
            .orElseThrow(() -> new TestkitException(replica + " is no replica"))
            .firstSlot();
    await(
        replica + " in step with its master",
        () -> replica.info("replication", "master_link_status").equals("up"));
    try {
      // Masters refuse a second vote for one place within twice the node timeout, without a word.
      Eventually.within(limit).until(replica + " asked to take over", () -> failedOver(replica));
    } catch (AssertionError e) {
      throw new TestkitException(replica + " did not take over within " + limit, e);
    }
    awaitSlot(slot, replica);
  }

  /** Waits until every node that runs knows this one as the master of the key's slot. */
  public void awaitMaster(String key, RedisServer master) {
    awaitSlot(slotOf(key), master);
  }

  /** Moves the key's slot to another master, with its keys. All nodes know when this returns. */
  public void moveSlot(String key, RedisServer to) {
    moveSlot(key, to, () -> {});
  }

  /**
   * Moves the key's slot to another master, with its keys.
   *
   * @param midway runs when the keys have moved and the slot has not yet: clients are then sent on
   *     by {@code ASK}
   */
  public void moveSlot(String key, RedisServer to, Runnable midway) {
    RedisServer from = masterOf(key);
    String slot = Integer.toString(slotOf(key));
    String source = id(from);
    String target = id(to);
    to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source);
    from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target);
    while (true) {
      List<?> keys = (List<?>) from.command("CLUSTER", "GETKEYSINSLOT", slot, "100");
      if (keys == null || keys.isEmpty()) {
        break;
      }
      List<String> migrate = new ArrayList<>();
      String millis = Long.toString(limit.toMillis());
      migrate.addAll(
          List.of("MIGRATE", to.host(), Integer.toString(to.port()), "", "0", millis, "KEYS"));
      keys.forEach(name -> migrate.add(String.valueOf(name)));
      from.command(migrate.toArray(String[]::new));
    }
    midway.run();
    to.command("CLUSTER", "SETSLOT", slot, "NODE", target);
    from.command("CLUSTER", "SETSLOT", slot, "NODE", target);
    awaitSlot(Integer.parseInt(slot), to);
  }

  /** Kills all nodes and deletes their files. Further calls do nothing. */
  @Override
  public void close() {
    nodes.forEach(RedisServer::close);
  }

  @Override
  public String toString() {
    return "Redis Cluster of " + nodes;
  }

  private static boolean failedOver(RedisServer replica) {
    replica.command("CLUSTER", "FAILOVER");
    try {
      Eventually.within(FAILOVER_LIMIT)
          .until("promoted", () -> replica.info("replication", "role").equals("master"));
      return true;
    } catch (AssertionError e) {
      return false;
    }
  }

  private void awaitSlot(int slot, RedisServer master) {
    await(
        "slot " + slot + " at " + master,
        () ->
            running().stream()
                .allMatch(
                    node ->
                        healthy(node)
                            && view(node).stream()
                                .anyMatch(
                                    seen -> seen.port() == master.port() && seen.hasSlot(slot))));
  }

  private void await(String what, Callable<Boolean> condition) {
    try {
      Eventually.within(limit).until(what, condition);
    } catch (AssertionError e) {
      throw new TestkitException(this + ": not " + what + " within " + limit, e);
    }
  }

  private List<RedisServer> running() {
    return nodes.stream().filter(node -> node.isRunning() && !node.isPaused()).toList();
  }

  private RedisServer reachable() {
    return running().stream()
        .findFirst()
        .orElseThrow(() -> new TestkitException("no node of " + this + " runs"));
  }

  private RedisServer server(RedisClusterNode seen) {
    return nodes.stream()
        .filter(node -> node.port() == seen.port())
        .findFirst()
        .orElseThrow(() -> new TestkitException("port " + seen.port() + " is not of " + this));
  }

  private static String id(RedisServer node) {
    return String.valueOf(node.command("CLUSTER", "MYID"));
  }

  private static boolean healthy(RedisServer node) {
    return String.valueOf(node.command("CLUSTER", "INFO")).contains("cluster_state:ok");
  }

  private static List<RedisClusterNode> view(RedisServer node) {
    return String.valueOf(node.command("CLUSTER", "NODES"))
        .lines()
        .map(RedisClusterNode::read)
        .toList();
  }

  private void form() {
    for (int i = 0; i < nodes.size(); i++) {
      nodes.get(i).command("CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
    }
    for (RedisServer node : nodes) {
      for (RedisServer other : nodes) {
        if (node != other) {
          node.command("CLUSTER", "MEET", other.host(), Integer.toString(other.port()));
        }
      }
    }
    for (int i = 0; i < masters; i++) {
      List<String> add = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
      IntStream.range(i * SLOTS / masters, (i + 1) * SLOTS / masters)
          .forEach(slot -> add.add(Integer.toString(slot)));
      nodes.get(i).command(add.toArray(String[]::new));
    }
    await(
        "known to each other",
        () ->
            nodes.stream()
                .allMatch(
                    node ->
                        view(node).stream().filter(RedisClusterNode::known).count()
                            == nodes.size()));
    for (int i = masters; i < nodes.size(); i++) {
      nodes.get(i).command("CLUSTER", "REPLICATE", id(nodes.get((i - masters) % masters)));
    }
    await(
        "formed",
        () ->
            nodes.stream().allMatch(RedisCluster::healthy)
                && nodes.stream()
                    .allMatch(
                        node ->
                            view(node).stream().filter(seen -> !seen.master().isEmpty()).count()
                                == nodes.size() - masters));
    for (RedisServer replica : nodes.subList(masters, nodes.size())) {
      await(
          replica + " in step",
          () -> replica.info("replication", "master_link_status").equals("up"));
    }
  }

  /** Settings of a cluster. Not thread-safe. */
  public static final class Builder {
    private int masters = 3;
    private int replicas;
    private Duration nodeTimeout = Duration.ofSeconds(3);
    private Duration limit = Duration.ofSeconds(30);
    private final RedisServer.Builder node = RedisServer.builder();

    private Builder() {}

    /** How many masters share the slots: 3 by default, at most 8. */
    public Builder masters(int count) {
      if (count < 1 || count > 8) {
        throw new IllegalArgumentException("masters " + count + " is not between 1 and 8");
      }
      this.masters = count;
      return this;
    }

    /** How many replicas there are in all, dealt out to the masters in turn: none by default. */
    public Builder replicas(int count) {
      if (count < 0 || count > 8) {
        throw new IllegalArgumentException("replicas " + count + " is not between 0 and 8");
      }
      this.replicas = count;
      return this;
    }

    /** After how long a silent master counts as failed: 3 s by default, 500 ms or more. */
    public Builder nodeTimeout(Duration timeout) {
      if (timeout.compareTo(Duration.ofMillis(500)) < 0) {
        throw new IllegalArgumentException("nodeTimeout " + timeout + " is less than 500 ms");
      }
      this.nodeTimeout = timeout;
      return this;
    }

    /** A further user of every node; see {@link RedisServer.Builder#user}. */
    public Builder user(String name, String password, String rules) {
      node.user(name, password, rules);
      return this;
    }

    /** A line of every node's {@code redis.conf}; see {@link RedisServer.Builder#setting}. */
    public Builder setting(String name, String value) {
      node.setting(name, value);
      return this;
    }

    /** How long the nodes may take to agree on something: 30 s by default, 1 s or more. */
    public Builder limit(Duration limit) {
      if (limit.compareTo(Duration.ofSeconds(1)) < 0) {
        throw new IllegalArgumentException("limit " + limit + " is less than 1 s");
      }
      this.limit = limit;
      return this;
    }

    /**
     * Starts the cluster: every slot is served, every replica is in step when this returns.
     *
     * @throws TestkitException it did not start
     */
    public RedisCluster start() {
      List<RedisServer> nodes = new ArrayList<>();
      RedisCluster cluster = new RedisCluster(nodes, this);
      try {
        for (int i = 0; i < masters + replicas; i++) {
          nodes.add(startNode());
        }
        cluster.form();
        return new RedisCluster(List.copyOf(nodes), this);
      } catch (RuntimeException | Error e) {
        cluster.close();
        throw e;
      }
    }

    private RedisServer startNode() {
      for (int attempt = 1; ; attempt++) {
        int port = Ports.freeWithBus();
        try {
          return new RedisServer.Builder(node)
              .port(port)
              .databases(1)
              .setting("cluster-enabled", "yes")
              .setting("cluster-config-file", "nodes.conf")
              .setting("cluster-node-timeout", Long.toString(nodeTimeout.toMillis()))
              .setting("cluster-replica-validity-factor", "0")
              .setting("repl-diskless-sync", "yes")
              .setting("repl-diskless-sync-delay", "0")
              .start();
        } catch (TestkitException e) {
          if (attempt == START_ATTEMPTS) {
            throw e;
          }
        }
      }
    }
  }
}
