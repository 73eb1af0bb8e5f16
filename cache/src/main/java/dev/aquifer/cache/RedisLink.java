package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.CacheFault;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The second tier, in Redis: {@link RedisReads} and {@link RedisFills} of entries under {@link
 * Leases}. {@link RedisCalls} keeps what a caller may wait, {@link EventFeed} hears what others
 * void, {@link RedisVoids} tells them.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisLink implements Remote {
  private final Node node;
  private final RedisAddress address;
  private final RedisConnections connections;
  private final RedisCalls calls;
  private final EventFeed feed;
  private final RedisVoids voids;
  private final Leases leases;
  private final RedisReads reads;
  private final RedisFills fills;
  private final RedisTimelines timelines;
  private final ServerClock clock = new ServerClock();
  private final long silence;
  private final long timeout;
  private final ScheduledFuture<?> heart;
  private final ScheduledFuture<?> renewals;

  private RedisLink(
      RedisAddress address, RedisConnections connections, NodeSettings settings, Node node) {
    this.node = node;
    this.address = address;
    this.connections = connections;
    this.silence = settings.silenceLimit().toNanos();
    this.timeout = settings.remoteTimeout().toNanos();
    this.calls = new RedisCalls(node, connections, settings, first -> known(first));
    this.feed = new EventFeed(node, calls, connections, settings);
    this.voids = new RedisVoids(node, calls, connections, feed, settings);
    this.leases = new Leases(node, calls, settings);
    this.reads = new RedisReads(node, calls, feed, leases, clock, settings);
    this.fills = new RedisFills(node, calls, leases, clock);
    this.timelines = new RedisTimelines(calls, feed, settings);
    long beat = feed.interval();
    long renewal = leases.interval();
    this.renewals =
        node.timer.scheduleWithFixedDelay(this::renew, renewal, renewal, TimeUnit.NANOSECONDS);
    this.heart = node.timer.scheduleWithFixedDelay(this::beat, beat, beat, TimeUnit.NANOSECONDS);
  }

  /**
   * Connects.
   *
   * @throws UnavailableException when Redis is required and cannot be reached
   * @throws ConfigurationException when the text is no address of a Redis
   */
  static RedisLink open(String uri, NodeSettings settings, Node node) {
    RedisAddress address = RedisAddress.read(uri, settings);
    RedisConnections connections = RedisConnections.to(address, settings, node.executor);
    RedisLink link = new RedisLink(address, connections, settings, node);
    connections.listen(link.feed::heard, link.feed::subscribed, link.feed::lost);
    try {
      connections.connect();
      link.calls.started(true);
      link.askTime();
      link.feed.awaitProof(settings.connectTimeout().toNanos());
    } catch (UnavailableException e) {
      link.calls.started(false);
      if (settings.redisRequired()) {
        link.close();
        throw e;
      }
    }
    return link;
  }

  private CompletableFuture<Boolean> known(Partition first) {
    return feed.known(first);
  }

  /** Its commands, for what else is kept in Redis. */
  RedisClusterAsyncCommands<byte[], byte[]> commands() {
    return connections.commands();
  }

  @Override
  public boolean readable(Partition partition) {
    return calls.open() && voids.none(partition);
  }

  @Override
  public ServerClock clock() {
    return clock;
  }

  @Override
  public long provenAt() {
    return feed.provenAt();
  }

  @Override
  public Reply read(TenantView view, CausalSession session, List<Ask> asks, boolean looked) {
    return reads.read(view, session, asks, looked);
  }

  @Override
  public @Nullable Look look(TenantView view, CausalSession session, byte[][] keys) {
    return reads.look(view, session, keys);
  }

  @Override
  public boolean sync(Partition partition) throws InterruptedException {
    return feed.sync(partition);
  }

  @Override
  public boolean refresh(List<Partition> partitions) throws InterruptedException {
    return calls.open() && feed.refresh(partitions, System.nanoTime() + timeout);
  }

  @Override
  public RedisTimelines timelines() {
    return timelines;
  }

  @Override
  public void together(Runnable work) {
    fills.together(work);
  }

  @Override
  public void fill(TenantView view, String text, Lease lease, Filling filling) {
    leases.ended(text, lease.token());
    fills.fill(view, text, lease, filling);
  }

  @Override
  public void release(TenantView view, String text, Lease lease) {
    leases.ended(text, lease.token());
    fills.release(view, text, lease);
  }

  @Override
  public long[] voidNames(
      List<Part> parts, ReadFloor floor, @Nullable String token, @Nullable String poison) {
    return voids.voidNames(parts, floor, token, poison);
  }

  @Override
  public void follow(Partition partition) {
    voids.follow(partition);
  }

  @Override
  public boolean reachable() {
    return calls.open();
  }

  @Override
  public boolean poison(
      List<Partition> partitions, String token, List<String> names, Duration limit) {
    return voids.poison(partitions, token, names, limit);
  }

  @Override
  public void lift(Partition partition, String poison) {
    voids.lift(partition, poison);
  }

  @Override
  public CompletableFuture<Long> voidNamesAsync(
      Part part, ReadFloor floor, @Nullable String token) {
    return voids.voidNamesAsync(part, floor, token);
  }

  @Override
  public boolean awaitTold(Partition partition, Duration limit) throws InterruptedException {
    return voids.awaitTold(partition, limit);
  }

  private void beat() {
    if (calls.closed()) {
      return;
    }
    try {
      if (!connections.connected()) {
        feed.background(
            () -> {
              connections.connect();
              return true;
            });
        return;
      }
      feed.beat();
      askTime();
    } catch (RuntimeException e) {
      node.observer.cacheFault("", CacheFault.REMOTE, e);
    }
  }

  private void renew() {
    try {
      leases.renew();
    } catch (RuntimeException e) {
      node.observer.cacheFault("", CacheFault.REMOTE, e);
    }
  }

  private void askTime() {
    long sent = node.nanos.getAsLong();
    calls.beat(
        time -> {
          if (!time.isEmpty()) {
            long seconds = Long.parseLong(Names.text(time.get(0)));
            long micros = Long.parseLong(Names.text(time.get(1)));
            clock.answered(sent, node.nanos.getAsLong(), seconds * 1_000_000 + micros);
          }
          answering();
        });
  }

  private void answering() {
    feed.endPoisons();
    if (voids.waiting()) {
      feed.background(voids::flush);
    }
  }

  @Override
  public CacheHealth health() {
    long quiet = node.nanos.getAsLong() - feed.provenAt();
    return new CacheHealth(
        calls.usable(),
        quiet <= silence,
        quiet <= silence ? Duration.ZERO : Duration.ofNanos(quiet),
        voids.size(),
        address.kind(),
        connections.servers());
  }

  @Override
  public void close() {
    if (!calls.closed()) {
      calls.close();
      heart.cancel(false);
      renewals.cancel(false);
      connections.close();
    }
  }
}
