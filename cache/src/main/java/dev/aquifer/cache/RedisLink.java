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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The second tier, in Redis. A call waits for Redis no longer than its limit; after {@value
 * #FAILURES} failures in a row none waits until a heartbeat is answered again. Voids that Redis was
 * not told of wait, and until it was told this process reads nothing of their partition from it.
 *
 * <p>The heartbeat is a PING on the connection that voids arrive on: its answer proves that all
 * that was published before has arrived (race R5).
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisLink implements Remote {
  private static final int FAILURES = 3;
  private static final long LEASE_MILLIS = 5_000;
  private static final int NEWS_WITH_READ = 256;
  private static final int NEWS_ON_SYNC = 10_000;

  private final Node node;
  private final RedisConnections connections;
  private final PendingVoids pending;
  private final long timeout;
  private final long silence;
  private final ScheduledFuture<?> heart;
  private final AtomicInteger failures = new AtomicInteger();
  // Nobody waits for a flush, so it may take longer than what somebody waits for.
  private static final long FLUSH_TIMEOUT = TimeUnit.SECONDS.toNanos(1);

  private final AtomicBoolean flushing = new AtomicBoolean();
  private final AtomicBoolean resyncing = new AtomicBoolean();
  private final AtomicInteger epoch = new AtomicInteger();
  private volatile int syncedEpoch = -1;
  private volatile long provenAt;
  private volatile boolean usable;
  private volatile boolean closed;

  private RedisLink(RedisConnections connections, NodeSettings settings, Node node) {
    this.node = node;
    this.connections = connections;
    this.pending = new PendingVoids(settings.pendingLimit());
    this.timeout = settings.remoteTimeout().toNanos();
    this.silence = settings.silenceLimit().toNanos();
    this.provenAt = node.nanos.getAsLong() - 2 * silence;
    long beat = Math.max(1, Math.min(silence / 4, TimeUnit.MILLISECONDS.toNanos(500)));
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
    connections.listen(link::heard, link::subscribed, link::lost);
    try {
      connections.connect();
      link.usable = true;
      link.awaitSubscription(settings);
    } catch (UnavailableException e) {
      link.usable = false;
      if (settings.redisRequired()) {
        link.close();
        throw e;
      }
    }
    return link;
  }

  private void awaitSubscription(NodeSettings settings) {
    long deadline = System.nanoTime() + settings.connectTimeout().toNanos();
    while (!proven()
        && System.nanoTime() - deadline < 0
        && !Thread.currentThread().isInterrupted()) {
      java.util.concurrent.locks.LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      if (syncedEpoch == epoch.get()) {
        connections.pingEvents().toCompletableFuture().join();
        provenAt = node.nanos.getAsLong();
      }
    }
  }

  private boolean proven() {
    return node.nanos.getAsLong() - provenAt <= silence;
  }

  @Override
  public boolean readable(Partition partition) {
    return usable && pending.none(partition) && !closed;
  }

  @Override
  public long provenAt() {
    return provenAt;
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
      apply(node.shared, await(others, deadline), node.shared.incarnation(), 0);
    }
    List<@Nullable Answer> answers = new ArrayList<>(asks.size());
    for (Question question : questions) {
      List<Object> reply = await(question.reply, deadline);
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
        !proven()
            || shared.incarnation() == 0
            || shared.behind()
            || node.sessions.current().sequence(shared.name) > shared.applied();
    return needed ? send(Script.SYNC, shared, List.of(), List.of(), NEWS_ON_SYNC) : null;
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
      this.reply = send(Script.READ, view.partition, keys, args, NEWS_WITH_READ);
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
    CatchUp news = apply(partition, reply, question.incarnation, question.applied);
    if (news == null) {
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
    long incarnation = partition.incarnation();
    long applied = partition.applied();
    CompletableFuture<List<Object>> sent =
        send(Script.SYNC, partition, List.of(), List.of(), NEWS_ON_SYNC);
    List<Object> reply = await(sent, System.nanoTime() + Math.max(timeout, silence));
    return apply(partition, reply, incarnation, applied) != null;
  }

  /** Applies the news of an answer; null where there is none, or not one of ours. */
  private @Nullable CatchUp apply(
      Partition partition, @Nullable List<Object> reply, long incarnation, long applied) {
    if (reply == null) {
      return null;
    }
    try {
      CatchUp news = Names.news(reply, incarnation, applied);
      if (partition.catchUp(news, node.positions.now()) && node.guards.regressions) {
        // Redis forgot voids that were applied here: all that it has may be stale (race R6).
        partition.voidAll();
        background(
            () -> voidNames(partition, List.of(Partition.ALL), List.of(), ReadFloor.NONE, null));
      } else if (partition.behind()) {
        background(() -> sync(partition));
      }
      return news;
    } catch (RuntimeException e) {
      node.observer.cacheFault(partition.name, CacheFault.REMOTE, e);
      return null;
    }
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
    args.add(StoredKeys.bytes(Long.toString(filling.ttlMillis())));
    args.add(entry);
    args.add(StoredKeys.bytes(node.guards.leases ? "1" : "0"));
    args.add(StoredKeys.bytes(KeyText.cacheName(cache.name)));
    filling.tags().forEach(tag -> args.add(StoredKeys.bytes(KeyText.tagName(tag))));
    if (!node.guards.markers) {
      args.subList(5, args.size()).clear();
    }
    this.<Long>submit(
            Script.FILL,
            ScriptOutputType.INTEGER,
            view.partition,
            lease.incarnation(),
            List.of(stored.entry(), stored.lease()),
            args,
            0)
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
    CompletableFuture<Long> sent =
        submit(
            Script.RELEASE,
            ScriptOutputType.INTEGER,
            view.partition,
            view.partition.incarnation(),
            List.of(stored.lease()),
            List.of(StoredKeys.bytes(lease.token())),
            0);
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
    long sequence = 0;
    if (readable(partition)) {
      try {
        sequence = told(partition, names, stored, token, timeout);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    if (sequence == 0) {
      // Before it takes effect here: from now on nothing of the partition is read from Redis.
      if (!pending.add(partition, names, stored)) {
        node.observer.cacheFault(partition.name, CacheFault.OVERFLOW, null);
      }
      partition.voidHere(names, floor, false);
    }
    return sequence;
  }

  @Override
  public boolean awaitTold(Partition partition, Duration limit) throws InterruptedException {
    if (pending.none(partition)) {
      return true;
    }
    long deadline = System.nanoTime() + limit.toNanos();
    // On the caller's thread: it must not queue behind what waits of other partitions.
    PendingVoids.Taken taken = pending.take(partition);
    if (taken != null) {
      tell(taken, limit.toNanos());
    }
    return pending.awaitNone(partition, deadline - System.nanoTime());
  }

  private boolean tell(PendingVoids.Taken taken, long limit) throws InterruptedException {
    boolean done = false;
    try {
      done = told(taken.partition(), taken.names(), taken.stored(), null, limit) > 0;
    } finally {
      if (done) {
        pending.sent(taken);
      } else {
        pending.back(taken);
      }
    }
    return done;
  }

  private long told(
      Partition partition,
      List<String> names,
      List<Stored> stored,
      @Nullable String token,
      long limit)
      throws InterruptedException {
    List<byte[]> keys = new ArrayList<>();
    for (Stored place : stored) {
      keys.add(place.entry());
      keys.add(place.lease());
    }
    List<byte[]> args = new ArrayList<>();
    args.add(connections.channel(partition));
    args.add(StoredKeys.bytes(Names.write(names)));
    args.add(StoredKeys.bytes(Integer.toString(Partition.MAX_MARKERS)));
    args.add(StoredKeys.bytes(token == null ? "" : token));
    args.add(StoredKeys.bytes(Long.toString(LEASE_MILLIS)));
    names.stream()
        .filter(name -> !KeyText.isKey(name))
        .forEach(name -> args.add(StoredKeys.bytes(name)));
    long incarnation = partition.incarnation();
    List<Object> reply =
        await(send(Script.VOID, partition, keys, args, NEWS_WITH_READ), System.nanoTime() + limit);
    CatchUp news = apply(partition, reply, incarnation, 0);
    return news == null ? 0 : news.sequence();
  }

  private CompletableFuture<List<Object>> send(
      Script script, Partition partition, List<byte[]> keys, List<byte[]> args, int events) {
    return submit(
        script, ScriptOutputType.MULTI, partition, partition.incarnation(), keys, args, events);
  }

  private <T> CompletableFuture<T> submit(
      Script script,
      ScriptOutputType output,
      Partition partition,
      long incarnation,
      List<byte[]> keys,
      List<byte[]> args,
      int events) {
    List<byte[]> allKeys = new ArrayList<>(keys.size() + 2);
    allKeys.add(StoredKeys.state(partition));
    allKeys.add(StoredKeys.stream(partition));
    allKeys.addAll(keys);
    List<byte[]> allArgs = new ArrayList<>(args.size() + 4);
    long candidate = ThreadLocalRandom.current().nextLong() | 1;
    allArgs.add(StoredKeys.bytes(Long.toHexString(candidate)));
    allArgs.add(StoredKeys.bytes(Long.toHexString(incarnation)));
    allArgs.add(StoredKeys.bytes(Long.toString(partition.applied())));
    allArgs.add(StoredKeys.bytes(Integer.toString(events)));
    allArgs.addAll(args);
    try {
      CompletionStage<T> sent = connections.call(script, output, allKeys, allArgs);
      return sent.toCompletableFuture();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private <T> @Nullable T await(CompletableFuture<T> sent, long deadline)
      throws InterruptedException {
    try {
      T reply = sent.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      failures.set(0);
      return reply;
    } catch (ExecutionException e) {
      failed(e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException e) {
      failed(e);
    }
    return null;
  }

  private void failed(Throwable error) {
    node.observer.cacheFault("", CacheFault.REMOTE, error);
    if (failures.incrementAndGet() >= FAILURES && usable) {
      change(false, error.getClass().getSimpleName());
    }
  }

  private void change(boolean nowUsable, String reason) {
    usable = nowUsable;
    node.observer.remoteChanged(nowUsable, reason);
  }

  /** One void as it was published. */
  private void heard(String partitionName, String message) {
    Partition partition = node.named(partitionName);
    if (partition == null) {
      return;
    }
    int first = message.indexOf(' ');
    int second = message.indexOf(' ', first + 1);
    boolean applied = false;
    try {
      applied =
          partition.hear(
              Names.incarnation(message.substring(0, first)),
              Long.parseLong(message, first + 1, second, 10),
              Names.read(message.substring(second + 1)),
              node.positions.now());
    } catch (RuntimeException e) {
      node.observer.cacheFault(partitionName, CacheFault.DAMAGED, e);
    }
    if (!applied && partition.incarnation() != 0) {
      background(() -> sync(partition));
    }
  }

  private void subscribed() {
    epoch.incrementAndGet();
    background(this::resync);
  }

  private void lost() {
    epoch.incrementAndGet();
    provenAt = node.nanos.getAsLong() - silence - 1;
    node.observer.remoteChanged(false, "connection lost");
  }

  /** What was missed while nothing was heard. Only then do heartbeats prove anything. */
  private boolean resync() throws InterruptedException {
    if (!resyncing.compareAndSet(false, true)) {
      return false;
    }
    try {
      int now = epoch.get();
      for (Partition partition : node.guards.replay ? node.partitions() : List.<Partition>of()) {
        if ((partition.incarnation() != 0 || partition == node.shared) && !sync(partition)) {
          return false;
        }
      }
      syncedEpoch = now;
      return true;
    } finally {
      resyncing.set(false);
    }
  }

  private void beat() {
    if (closed) {
      return;
    }
    try {
      if (!connections.connected()) {
        background(
            () -> {
              connections.connect();
              return true;
            });
        return;
      }
      long sent = node.nanos.getAsLong();
      int now = epoch.get();
      if (syncedEpoch != now) {
        background(this::resync);
      } else {
        connections
            .pingEvents()
            .thenAccept(
                pong -> {
                  if (now == epoch.get() && sent - provenAt > 0) {
                    provenAt = sent;
                  }
                });
      }
      connections.ping().thenAccept(pong -> answering());
    } catch (RuntimeException e) {
      node.observer.cacheFault("", CacheFault.REMOTE, e);
    }
  }

  private void answering() {
    failures.set(0);
    if (!usable) {
      change(true, "heartbeat answered");
    }
    if (pending.size() > 0) {
      background(this::flush);
    }
  }

  private boolean flush() throws InterruptedException {
    if (!flushing.compareAndSet(false, true)) {
      return false;
    }
    try {
      for (PendingVoids.Taken taken = pending.take(); taken != null; taken = pending.take()) {
        if (!tell(taken, FLUSH_TIMEOUT)) {
          return false;
        }
      }
      return true;
    } finally {
      flushing.set(false);
    }
  }

  private void background(java.util.concurrent.Callable<?> work) {
    try {
      node.executor.execute(
          () -> {
            try {
              work.call();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            } catch (Exception e) {
              node.observer.cacheFault("", CacheFault.REMOTE, e);
            }
          });
    } catch (RejectedExecutionException e) {
      // Closing: nothing is served any more.
      provenAt = node.nanos.getAsLong() - 2 * silence;
    }
  }

  @Override
  public CacheHealth health() {
    long quiet = node.nanos.getAsLong() - provenAt;
    return new CacheHealth(
        usable,
        quiet <= silence,
        quiet <= silence ? Duration.ZERO : Duration.ofNanos(quiet),
        pending.size());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      heart.cancel(false);
      connections.close();
    }
  }
}
