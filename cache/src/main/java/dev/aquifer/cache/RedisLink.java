package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.CacheFault;
import io.lettuce.core.ScriptOutputType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The second tier, in Redis: reads and fills of entries under leases. {@link RedisCalls} keeps what
 * a caller may wait, {@link EventFeed} hears what others void, {@link RedisVoids} tells them.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisLink implements Remote {
  static final long LEASE_MILLIS = 5_000;
  private static final int NEWS_WITH_READ = 256;

  private final Node node;
  private final RedisConnections connections;
  private final RedisCalls calls;
  private final EventFeed feed;
  private final RedisVoids voids;
  private final long timeout;
  private final long silence;
  private final ScheduledFuture<?> heart;

  private RedisLink(RedisConnections connections, NodeSettings settings, Node node) {
    this.node = node;
    this.connections = connections;
    this.timeout = settings.remoteTimeout().toNanos();
    this.silence = settings.silenceLimit().toNanos();
    this.calls = new RedisCalls(node, connections);
    this.feed = new EventFeed(node, calls, connections, settings, this::voidAll);
    this.voids = new RedisVoids(node, calls, connections, feed, settings);
    long beat = feed.interval();
    this.heart = node.timer.scheduleWithFixedDelay(this::beat, beat, beat, TimeUnit.NANOSECONDS);
  }

  /**
   * Connects.
   *
   * @throws UnavailableException when Redis is required and cannot be reached
   * @throws ConfigurationException when the text is no address of a Redis
   */
  static RedisLink open(String uri, NodeSettings settings, Node node) {
    RedisConnections connections = new RedisConnections(uri, settings);
    RedisLink link = new RedisLink(connections, settings, node);
    connections.listen(link.feed::heard, link.feed::subscribed, link.feed::lost);
    try {
      connections.connect();
      link.calls.started(true);
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

  private void voidAll(Partition partition) {
    voids.voidNames(partition, List.of(Partition.ALL), List.of(), ReadFloor.NONE, null);
  }

  @Override
  public boolean readable(Partition partition) {
    return calls.open() && voids.none(partition);
  }

  @Override
  public long provenAt() {
    return feed.provenAt();
  }

  @Override
  public List<@Nullable Answer> read(TenantView view, List<Ask> asks) throws InterruptedException {
    long deadline = System.nanoTime() + timeout;
    Partition partition = view.partition;
    CompletableFuture<List<Object>> others = sharedNews();
    List<Question> questions = new ArrayList<>(asks.size());
    for (Ask ask : asks) {
      questions.add(question(view, ask));
    }
    if (others != null) {
      feed.apply(node.shared, calls.await(others, deadline), node.shared.incarnation(), 0);
    }
    List<@Nullable Answer> answers = new ArrayList<>(asks.size());
    for (Question question : questions) {
      List<Object> reply = calls.await(question.reply, deadline);
      if (reply == null) {
        question.abandon(view);
        answers.add(null);
      } else {
        answers.add(answer(partition, question, reply));
      }
    }
    return answers;
  }

  private @Nullable CompletableFuture<List<Object>> sharedNews() {
    Partition shared = node.shared;
    boolean needed =
        !feed.proven()
            || shared.incarnation() == 0
            || shared.behind()
            || node.sessions.current().sequence(shared.name) > shared.applied();
    return needed ? feed.news(shared) : null;
  }

  private final class Question {
    final Ask ask;
    final long incarnation;
    final long applied;
    final CompletableFuture<List<Object>> reply;

    /** What was applied is sampled first, or a later state would look like one that was lost. */
    Question(Ask ask, TenantView view, List<byte[]> keys, List<byte[]> args) {
      this.ask = ask;
      this.incarnation = view.partition.incarnation();
      this.applied = view.partition.applied();
      this.reply = calls.send(Script.READ, view.partition, keys, args, NEWS_WITH_READ);
    }

    /** A lease that is granted too late is given back, or others would wait for nobody. */
    void abandon(TenantView view) {
      String token = ask.token();
      if (token != null) {
        reply.thenAccept(
            late -> {
              if (late != null && late.size() > 4 && Names.text(late.get(4)).equals("L")) {
                release(view, ask.text(), new Lease(token, 0, 0, 0, 0));
              }
            });
      }
    }
  }

  private Question question(TenantView view, Ask ask) {
    Stored stored = StoredKeys.of(view, ask.text());
    byte[] refused = ask.refused();
    List<byte[]> more =
        List.of(
            StoredKeys.bytes(ask.token() == null ? "" : ask.token()),
            StoredKeys.bytes(Long.toString(LEASE_MILLIS)),
            StoredKeys.bytes(refused == null ? "0" : "1"),
            refused == null ? new byte[0] : refused);
    List<byte[]> keys = List.of(stored.entry(), stored.lease());
    return new Question(ask, view, keys, more);
  }

  private @Nullable Answer answer(Partition partition, Question question, List<Object> reply) {
    CatchUp news = feed.apply(partition, reply, question.incarnation, question.applied);
    if (news == null || news.regressed()) {
      // What Redis has forgotten voids of, it cannot vouch for.
      return null;
    }
    String kind = Names.text(reply.get(4));
    Lease lease = null;
    if (kind.equals("L")) {
      lease =
          new Lease(
              java.util.Objects.requireNonNull(question.ask.token()),
              news.incarnation(),
              news.sequence(),
              node.shared.incarnation(),
              node.shared.applied());
    }
    boolean hit = kind.equals("H");
    return new Answer(
        news.incarnation(),
        news.sequence(),
        hit ? (byte[]) reply.get(5) : null,
        hit ? (Long) reply.get(6) : 0,
        lease);
  }

  @Override
  public boolean sync(Partition partition) throws InterruptedException {
    return feed.sync(partition);
  }

  @Override
  public void fill(TenantView view, String text, Lease lease, Filling filling) {
    CacheCore cache = view.cache;
    byte[] entry =
        Envelope.write(
            lease,
            filling,
            cache.values.codec,
            cache.settings.compressFrom(),
            System.currentTimeMillis());
    Stored stored = StoredKeys.of(view, text);
    List<byte[]> args = new ArrayList<>();
    args.add(StoredKeys.bytes(lease.token()));
    args.add(StoredKeys.bytes(Long.toString(lease.asOf())));
    args.add(StoredKeys.bytes(Long.toString(filling.ttlMillis() + filling.staleMillis())));
    args.add(entry);
    args.add(StoredKeys.bytes(node.guards.leases ? "1" : "0"));
    args.add(StoredKeys.bytes(KeyText.cacheName(cache.name)));
    filling.tags().forEach(tag -> args.add(StoredKeys.bytes(KeyText.tagName(tag))));
    if (!node.guards.markers) {
      args.subList(5, args.size()).clear();
    }
    RedisCalls.Call call =
        new RedisCalls.Call(
            view.partition, lease.incarnation(), List.of(stored.entry(), stored.lease()), args, 0);
    calls
        .<Long>submit(Script.FILL, ScriptOutputType.INTEGER, call)
        .whenComplete(
            (accepted, error) -> {
              if (error != null) {
                cache.fault(CacheFault.REMOTE, error);
              } else if (accepted == 0) {
                cache.fault(CacheFault.FILL_REFUSED, null);
              }
            });
  }

  @Override
  public void release(TenantView view, String text, Lease lease) {
    Stored stored = StoredKeys.of(view, text);
    RedisCalls.Call call =
        new RedisCalls.Call(
            view.partition,
            view.partition.incarnation(),
            List.of(stored.lease()),
            List.of(StoredKeys.bytes(lease.token())),
            0);
    CompletableFuture<Long> sent = calls.submit(Script.RELEASE, ScriptOutputType.INTEGER, call);
    sent.exceptionally(
        error -> {
          // The lease ends by itself.
          node.observer.cacheFault(view.cache.name, CacheFault.REMOTE, error);
          return 0L;
        });
  }

  @Override
  public long voidNames(
      Partition partition,
      List<String> names,
      List<Stored> stored,
      ReadFloor floor,
      @Nullable String token) {
    return voids.voidNames(partition, names, stored, floor, token);
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
      connections.ping().thenAccept(pong -> answering());
    } catch (RuntimeException e) {
      node.observer.cacheFault("", CacheFault.REMOTE, e);
    }
  }

  private void answering() {
    calls.answered();
    if (voids.size() > 0) {
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
        voids.size());
  }

  @Override
  public void close() {
    if (!calls.closed()) {
      calls.close();
      heart.cancel(false);
      connections.close();
    }
  }
}
