package dev.aquifer.cache;

import dev.aquifer.UnavailableException;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A Redis Cluster. A script runs on the master of its partition's slot, and publishes there.
 *
 * <p>What is published on a node reaches the subscribers of the others some time later, so an
 * answer of one node proves nothing of what another published. Therefore this node subscribes on
 * every master, and only an answer of each proves something. That nothing is missing then (race
 * R5):
 *
 * <ol>
 *   <li>On a connection to the master itself, its answer comes after all that it published before.
 *   <li>A slot that moves changes nothing, as long as both masters are among those that answer.
 *   <li>Another node can run scripts only if it was voted for by most masters, each of which has
 *       then heard of a new epoch; or if a master hands slots to it, which then knows it. So with
 *       every heartbeat each master also says which masters and which epoch it knows. If that is
 *       not what it was when this node last asked for all that it might have missed, the answers
 *       prove nothing: it subscribes on the masters of now, asks again for all that it might have
 *       missed, and only then are answers a proof.
 *   <li>An epoch that rose and is nobody's yet may be that of a master of whom none has heard, so
 *       nothing is proven until somebody claims it, or the vote must have been in vain.
 * </ol>
 *
 * <p>Not covered is {@code CLUSTER FAILOVER TAKEOVER}, which asks nobody: until one of the other
 * masters has heard of it, a proof may still be given.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class ClusterConnections implements RedisConnections {
  // Twice the default cluster-node-timeout: when a vote that nobody won has come to nothing.
  private static final long VOTE = TimeUnit.SECONDS.toNanos(30);
  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(50);
  private static final Duration REFRESH = Duration.ofSeconds(1);

  private final RedisAddress address;
  private final NodeSettings settings;
  private final Executor executor;
  private final ClientResources resources;
  private final RedisClusterClient client;
  private final RedisClient eventClient;
  private final ReentrantLock connecting = new ReentrantLock();
  private final Map<String, EventStream> streams = new HashMap<>();
  private EventStream.Ears ears =
      new EventStream.Ears((partition, message) -> {}, () -> {}, () -> {});
  private volatile @Nullable StatefulRedisClusterConnection<byte[], byte[]> commands;
  private volatile @Nullable Watch watch;
  private volatile Rise rise = new Rise(-1, 0);
  private volatile boolean closed;

  /** Who was subscribed on, before all that might have been missed was asked for. */
  private static final class Watch {
    final ClusterView view;
    final Map<String, EventStream> streams;

    Watch(ClusterView view, Map<String, EventStream> streams) {
      this.view = view;
      this.streams = Map.copyOf(streams);
    }
  }

  /** When an epoch was first heard of; the one at the start is old. */
  private record Rise(long epoch, long since) {}

  ClusterConnections(RedisAddress address, NodeSettings settings, Executor executor) {
    this.address = address;
    this.settings = settings;
    this.executor = executor;
    ClusterClientOptions options =
        LettuceOptions.of(
                ClusterClientOptions.builder()
                    .topologyRefreshOptions(
                        ClusterTopologyRefreshOptions.builder()
                            .adaptiveRefreshTriggersTimeout(REFRESH)
                            .build()),
                settings)
            .build();
    ClientOptions eventOptions = LettuceOptions.of(ClientOptions.builder(), settings).build();
    this.resources = LettuceOptions.resources(settings);
    this.client = RedisClusterClient.create(resources, address.uris());
    client.setOptions(options);
    this.eventClient = RedisClient.create(resources);
    eventClient.setOptions(eventOptions);
  }

  @Override
  public void listen(BiConsumer<String, String> onEvent, Runnable onSubscribed, Runnable onLost) {
    ears = new EventStream.Ears(onEvent, onSubscribed, onLost);
  }

  @Override
  public byte[] channel(Partition partition) {
    return EventStream.channel(partition, 0);
  }

  @Override
  public boolean connected() {
    return commands != null && watch != null;
  }

  @Override
  public void connect() {
    connecting.lock();
    try {
      if (closed) {
        return;
      }
      if (commands == null) {
        commands = client.connect(ByteArrayCodec.INSTANCE);
      }
      if (watch == null) {
        subscribePatiently();
      }
    } catch (RuntimeException e) {
      throw RedisRefusal.of(address, settings, e);
    } finally {
      connecting.unlock();
    }
  }

  /** The nodes may disagree for a moment, just after a master was replaced. Holds the lock. */
  private void subscribePatiently() {
    long deadline = System.nanoTime() + settings.connectTimeout().toNanos();
    while (true) {
      try {
        subscribe();
        return;
      } catch (RuntimeException e) {
        if (System.nanoTime() - deadline >= 0 || closed || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        LockSupport.parkNanos(PAUSE);
      }
    }
  }

  /** Subscribes on the masters of now. Holds the lock. */
  private void subscribe() {
    client.refreshPartitions();
    // Before anything is subscribed: whoever is voted for from here on changes what is seen later.
    ClusterView view =
        look().orTimeout(settings.connectTimeout().toNanos(), TimeUnit.NANOSECONDS).join();
    Map<String, RedisURI> masters = masters(view);
    connect(masters.values());
    masters.forEach(
        (id, uri) ->
            streams.computeIfAbsent(id, none -> EventStream.open(eventClient, uri, 0, ears)));
    streams
        .entrySet()
        .removeIf(
            entry -> {
              boolean gone = !view.masters().contains(entry.getKey());
              if (gone) {
                entry.getValue().close();
              }
              return gone;
            });
    watch = new Watch(view, streams);
    ears.subscribed().run();
  }

  private Map<String, RedisURI> masters(ClusterView view) {
    Map<String, RedisURI> masters = new HashMap<>();
    for (String id : view.masters()) {
      RedisClusterNode node = client.getPartitions().getPartitionByNodeId(id);
      if (node == null) {
        throw new UnavailableException(
            address + " is changing its masters; try again in a moment.");
      }
      masters.put(id, node.getUri());
    }
    return masters;
  }

  /**
   * What is sent to a slot goes over connections by address, and is rejected until they are there.
   */
  private void connect(Collection<RedisURI> masters) {
    List<CompletableFuture<?>> ready = new ArrayList<>();
    masters.forEach(uri -> ready.add(open().getConnectionAsync(uri.getHost(), uri.getPort())));
    all(ready).orTimeout(settings.connectTimeout().toNanos(), TimeUnit.NANOSECONDS).join();
  }

  /** What all masters say, taken together; fails where one of them does not answer. */
  private CompletableFuture<ClusterView> look() {
    List<CompletableFuture<ClusterView>> answers = new ArrayList<>();
    List<String> asked = new ArrayList<>();
    for (RedisClusterNode node : client.getPartitions()) {
      if (ClusterView.mayRunScripts(node)) {
        asked.add(node.getNodeId());
        answers.add(look(node.getNodeId()));
      }
    }
    return all(answers)
        .thenApply(
            done -> {
              ClusterView view = ClusterView.NOTHING;
              for (CompletableFuture<ClusterView> answer : answers) {
                view = view.and(answer.join());
              }
              if (view.masters().isEmpty() || !asked.containsAll(view.masters())) {
                client.refreshPartitionsAsync();
                throw new UnavailableException(
                    address + " is changing its masters; try again in a moment.");
              }
              return view;
            });
  }

  private CompletableFuture<ClusterView> look(String id) {
    return open()
        .getConnectionAsync(id)
        .thenCompose(
            node ->
                node.async()
                    .clusterInfo()
                    .thenCombine(node.async().clusterNodes(), ClusterView::read));
  }

  @Override
  public <T> CompletionStage<T> call(
      Script script, ScriptOutputType output, List<byte[]> keys, List<byte[]> args) {
    return script.call(open().async(), output, keys, args);
  }

  @Override
  public void dispatch(RedisCommand<byte[], byte[], ?> command) {
    open().dispatch(command);
  }

  @Override
  public RedisClusterAsyncCommands<byte[], byte[]> commands() {
    return open().async();
  }

  /** Answered by any of the masters: one that is away does not stop the others. */
  @Override
  public CompletionStage<List<byte[]>> time() {
    StatefulRedisClusterConnection<byte[], byte[]> made = open();
    CompletableFuture<List<byte[]>> first = new CompletableFuture<>();
    for (RedisClusterNode node : client.getPartitions()) {
      if (ClusterView.mayRunScripts(node)) {
        made.getConnectionAsync(node.getNodeId())
            .thenCompose(connection -> connection.async().ping())
            .thenAccept(pong -> first.complete(List.of()));
      }
    }
    return first;
  }

  @Override
  public CompletionStage<String> pingEvents() {
    Watch now = watch;
    if (now == null) {
      throw notConnected();
    }
    List<CompletableFuture<?>> answers = new ArrayList<>();
    now.streams.values().forEach(stream -> answers.add(stream.ping().toCompletableFuture()));
    CompletableFuture<ClusterView> seen = look();
    answers.add(seen);
    seen.whenComplete(
        (view, error) -> {
          if (error != null) {
            client.refreshPartitionsAsync();
          } else if (!now.view.sameAs(view)) {
            changed(now);
          }
        });
    return all(answers)
        .thenApply(
            done -> {
              ClusterView view = seen.join();
              if (!now.view.sameAs(view) || watch != now || undecided(view)) {
                throw new UnavailableException(address + " is changing its masters.");
              }
              return "PONG";
            });
  }

  private boolean undecided(ClusterView view) {
    Rise known = rise;
    if (view.epoch() != known.epoch) {
      known =
          new Rise(view.epoch(), known.epoch < 0 ? System.nanoTime() - VOTE : System.nanoTime());
      rise = known;
    }
    return view.voting() && (view.failing() || System.nanoTime() - known.since < VOTE);
  }

  /** Other masters than those that were subscribed on: what is heard is not all any more. */
  private void changed(Watch old) {
    ears.lost().run();
    try {
      executor.execute(
          () -> {
            connecting.lock();
            try {
              if (watch == old && !closed) {
                subscribe();
              }
            } catch (RuntimeException e) {
              // The next heartbeat sees the same, and tries again.
              org.slf4j.LoggerFactory.getLogger(ClusterConnections.class)
                  .debug("{} cannot be subscribed on yet: {}", address, e.toString());
            } finally {
              connecting.unlock();
            }
          });
    } catch (RejectedExecutionException e) {
      closed = true;
    }
  }

  private static CompletableFuture<?> all(List<? extends CompletableFuture<?>> each) {
    return CompletableFuture.allOf(each.toArray(CompletableFuture[]::new));
  }

  private StatefulRedisClusterConnection<byte[], byte[]> open() {
    StatefulRedisClusterConnection<byte[], byte[]> made = commands;
    if (made == null) {
      throw notConnected();
    }
    return made;
  }

  private UnavailableException notConnected() {
    return new UnavailableException(address + " is not connected.");
  }

  @Override
  public List<CacheHealth.Server> servers() {
    Watch now = watch;
    List<CacheHealth.Server> servers = new ArrayList<>();
    if (now != null) {
      now.streams.forEach(
          (id, stream) -> {
            RedisClusterNode node = client.getPartitions().getPartitionByNodeId(id);
            servers.add(
                new CacheHealth.Server(
                    node == null ? id : node.getUri().getHost() + ":" + node.getUri().getPort(),
                    node != null && node.isConnected(),
                    stream.subscribed()));
          });
    }
    servers.sort(java.util.Comparator.comparing(CacheHealth.Server::address));
    return servers;
  }

  @Override
  public void close() {
    closed = true;
    eventClient.shutdown(0, 2, TimeUnit.SECONDS);
    client.shutdown(0, 2, TimeUnit.SECONDS);
    resources.shutdown(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
  }
}
