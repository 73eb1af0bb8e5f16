package dev.aquifer.cache;

import dev.aquifer.Tag;
import dev.aquifer.spi.Observer.Tier;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads and fills the cache beside calls that the source answers, and compares.
 *
 * <p>A {@link Seen} is begun before the source is read, with the tick of that moment, which it
 * keeps. So it is stored by the rules of any load: only if nothing that it depends on was voided
 * since. The loader is called once, by the caller; what it returned is the fill.
 *
 * <p>The source may be ahead of the cache between a write and its void. A difference is therefore
 * looked at again when such a void would have been heard, and counts only if there was none.
 */
final class Shadow {
  private static final Logger LOG = LoggerFactory.getLogger(Shadow.class);
  private static final int THREADS = 2;
  private static final int QUEUE = 1024;
  private static final int SUSPECTS = 256;
  private static final int EXAMPLES = 16;
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(1);

  private final Node node;
  private final ThreadPoolExecutor threads;
  private final AtomicInteger suspects = new AtomicInteger();

  Shadow(Node node) {
    this.node = node;
    this.threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE),
            Threads.named("aquifer-shadow-"));
    threads.allowCoreThreadTimeOut(true);
  }

  /** What the source answered. Its tick is from before that, for good. */
  static final class Seen extends Flight {
    private final Answer answer;

    private Seen(MemoryKey at, Object key, Node node, Answer answer) {
      super(at, key, answer, node);
      this.answer = answer;
    }

    @Override
    void loadsFrom(Node node) {
      // It was read already.
    }

    @Override
    boolean counted() {
      return false;
    }
  }

  private static final class Answer implements Flight.Source {
    private volatile @Nullable Object value;

    @Override
    public @Nullable Object load() {
      return value;
    }
  }

  /** What one cache's shadow counted. */
  static final class Counts {
    private final LongAdder same = new LongAdder();
    private final LongAdder filled = new LongAdder();
    private final LongAdder different = new LongAdder();
    private final LongAdder overtaken = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final List<ShadowReport.Example> examples = new CopyOnWriteArrayList<>();

    ShadowReport report() {
      return new ShadowReport(
          same.sum(),
          filled.sum(),
          different.sum(),
          overtaken.sum(),
          dropped.sum(),
          failed.sum(),
          examples);
    }
  }

  /** The source is about to be read; null where the cache can do nothing with the key. */
  @Nullable Seen begin(TenantView view, Object key) {
    try {
      return new Seen(new MemoryKey(view, KeyForm.of(key)), key, node, new Answer());
    } catch (RuntimeException e) {
      view.cache.shadow.failed.increment();
      return null;
    }
  }

  /** The source answered. Does not block and does not throw. */
  void seen(@Nullable Seen seen, @Nullable Object value) {
    if (seen == null) {
      return;
    }
    seen.answer.value = value;
    try {
      threads.execute(() -> under(seen, () -> compare(seen, value)));
    } catch (RejectedExecutionException e) {
      counts(seen).dropped.increment();
    }
  }

  void close() {
    threads.shutdownNow();
  }

  private static Counts counts(Flight seen) {
    return seen.view.cache.shadow;
  }

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }

  private void under(Seen seen, Step step) {
    try {
      seen.view.tenant.call(
          () ->
              node.sessions.call(
                  seen.session,
                  () -> {
                    step.run();
                    return true;
                  }));
    } catch (Exception | StackOverflowError e) {
      counts(seen).failed.increment();
      LOG.debug("A comparison of cache '{}' failed", seen.view.cache.name, e);
    }
  }

  private void compare(Seen seen, @Nullable Object value) {
    // Here, where nobody waits, moments become positions, which more nodes have replayed.
    node.flights.floor(seen, true);
    Entry found = node.memory(seen.view, seen.at.key);
    Flight.Outcome outcome =
        found == null
            ? node.flights.aside(seen, node.nanos.getAsLong() + PATIENCE)
            : node.flights.outcome(seen, found.value(), Tier.L1);
    if (outcome.tier() == Tier.SOURCE) {
      (current(seen, value, null) ? counts(seen).filled : counts(seen).overtaken).increment();
      return;
    }
    node.flights.answered(seen.view, outcome);
    Object cached = outcome.value();
    if (same(seen.view.cache, value, cached)) {
      counts(seen).same.increment();
    } else if (!current(seen, value, cached)) {
      counts(seen).overtaken.increment();
    } else {
      later(seen, value, cached);
    }
  }

  /** Whether no void that is known here came since the source was read. */
  private boolean current(Seen seen, @Nullable Object value, @Nullable Object cached) {
    CacheCore cache = seen.view.cache;
    Set<Tag> tags = new HashSet<>(cache.tags(seen.key, cache.absent(value) ? null : value));
    tags.addAll(cache.tags(seen.key, cached));
    return seen.view.partition.holds(seen.tick(), seen.view.own(seen.keyCell, tags))
        && node.shared.holds(seen.tick(), seen.view.shared(node.shared, tags));
  }

  @SuppressWarnings("FutureReturnValueIgnored") // counts by itself
  private void later(Seen seen, @Nullable Object value, @Nullable Object cached) {
    if (suspects.incrementAndGet() > SUSPECTS) {
      suspects.decrementAndGet();
      counts(seen).dropped.increment();
      return;
    }
    Runnable again =
        () -> {
          suspects.decrementAndGet();
          under(seen, () -> judge(seen, value, cached));
        };
    try {
      node.timer.schedule(
          () -> {
            try {
              threads.execute(again);
            } catch (RejectedExecutionException e) {
              suspects.decrementAndGet();
              counts(seen).dropped.increment();
            }
          },
          node.silence(),
          TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      suspects.decrementAndGet();
      counts(seen).dropped.increment();
    }
  }

  private void judge(Seen seen, @Nullable Object value, @Nullable Object cached)
      throws InterruptedException {
    Remote remote = node.remote();
    if (remote != null && !(remote.sync(seen.view.partition) && remote.sync(node.shared))) {
      counts(seen).dropped.increment();
    } else if (!current(seen, value, cached)) {
      counts(seen).overtaken.increment();
    } else {
      tell(seen, value, cached);
      counts(seen).different.increment();
    }
  }

  private void tell(Seen seen, @Nullable Object value, @Nullable Object cached) {
    List<ShadowReport.Example> examples = counts(seen).examples;
    if (examples.size() >= EXAMPLES) {
      return;
    }
    CacheCore cache = seen.view.cache;
    String key = java.util.HexFormat.of().formatHex(KeyText.sha256(seen.text), 0, 6);
    ShadowReport.Kind kind =
        cached == null
            ? ShadowReport.Kind.ABSENT_IN_CACHE
            : cache.absent(value) ? ShadowReport.Kind.ABSENT_IN_SOURCE : ShadowReport.Kind.VALUE;
    examples.add(new ShadowReport.Example(cache.name, seen.view.tenant, key, kind));
    LOG.warn(
        "Cache '{}' would have answered tenant {} something else than its source ({}), for the key whose SHA-256 begins with {}: it lacks a tag, or its ttl is too long.",
        cache.name,
        seen.view.tenant,
        kind,
        key);
  }

  /** Equal, or written as the same bytes, for classes that do not say when they are equal. */
  private static boolean same(CacheCore cache, @Nullable Object value, @Nullable Object cached) {
    if (cache.absent(value) || cached == null) {
      return cache.absent(value) && cached == null;
    }
    if (Objects.deepEquals(value, cached)) {
      return true;
    }
    try {
      return Arrays.equals(
          cache.values.bytes.encode(Objects.requireNonNull(value)),
          cache.values.bytes.encode(cached));
    } catch (Exception e) {
      throw new dev.aquifer.EncodingException(
          "A value of cache '%s' cannot be encoded, so it cannot be compared."
              .formatted(cache.name),
          e);
    }
  }
}
