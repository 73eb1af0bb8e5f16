package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.cache.Caches;
import dev.aquifer.spi.Observer;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Builds a {@link TimeSeries}. Not thread-safe. */
public final class TimeSeriesBuilder {
  private static final int MOST_REMOTE_BYTES = 64 << 20;
  private static final Duration MOST_REMOTE_LIFE = Duration.ofDays(365);
  private static final Duration MOST_REMOTE_WAIT = Duration.ofSeconds(30);

  @Nullable Backend backend;
  String tenantTag = "tenant";
  Ageing ageing = Ageing.defaults();
  QueryLimits limits = QueryLimits.defaults();
  int concurrency = 8;
  @Nullable RequestLimits requestLimits;
  Duration timeout = Duration.ofSeconds(30);
  Clock clock = Clock.systemUTC();
  Observer observer = new Observer() {};
  long maximumWeight = 64L << 20;
  @Nullable Caches caches;
  @Nullable Executor executor;
  Duration remoteLife = Duration.ofDays(1);
  int remoteBytes = 1 << 20;
  Duration remoteWait = Duration.ofSeconds(1);
  @Nullable String source;
  final Map<String, Set<Tag>> tags = new HashMap<>();
  int profiled = 50;
  @Nullable AuditListener audit;

  TimeSeriesBuilder() {}

  /** Who is asked. Needed. It is closed with the {@link TimeSeries}. */
  public TimeSeriesBuilder backend(Backend from) {
    backend = from;
    return this;
  }

  /** The tag that holds the tenant. Default {@code tenant}. */
  public TimeSeriesBuilder tenantTag(String tag) {
    tenantTag = Names.require("tenant tag", tag);
    return this;
  }

  /** How long windows are kept. */
  public TimeSeriesBuilder ageing(Ageing how) {
    ageing = how;
    return this;
  }

  /** How late points may come without being told of. Default 2 days. */
  public TimeSeriesBuilder lateness(Duration time) {
    ageing = ageing.withLateness(time);
    return this;
  }

  /**
   * Of how many fingerprints of a tenant {@link TimeSeries#profile} tells, about 2 KiB each; of
   * 1,000 tenants at most. Default 50; 0: none.
   *
   * @throws ConfigurationException when it is negative or over 1,000
   */
  public TimeSeriesBuilder profiled(int fingerprints) {
    if (fingerprints < 0 || fingerprints > 1_000) {
      throw new ConfigurationException(
          "%d profiled fingerprints: use 0 to 1,000.".formatted(fingerprints));
    }
    profiled = fingerprints;
    return this;
  }

  /**
   * Who is told which tenant asked for what, and what became of it: {@link AuditListener#log}, or a
   * listener of the application's. Default nobody.
   */
  public TimeSeriesBuilder audit(AuditListener told) {
    audit = told;
    return this;
  }

  /**
   * How many requests run at the backend at a time, of all tenants together; others wait for their
   * turn, in fair order of the tenants. Default 8. More than the backend serves at once (a pool's
   * connections) only moves the queue there, where it is not fair.
   *
   * @throws ConfigurationException when it is zero or negative
   */
  public TimeSeriesBuilder concurrency(int requests) {
    if (requests < 1) {
      throw new ConfigurationException(
          "The concurrency is %d; at least one request must run.".formatted(requests));
    }
    concurrency = requests;
    return this;
  }

  /**
   * How many requests of each tenant run and wait. Default: half of {@link #concurrency} at a time,
   * so that one tenant alone never fills the backend, and 64 that wait.
   */
  public TimeSeriesBuilder requestLimits(RequestLimits most) {
    requestLimits = most;
    return this;
  }

  RequestLimits requestLimits() {
    return RequestQueue.check(
        concurrency,
        requestLimits == null
            ? RequestLimits.concurrent(Math.max(1, concurrency / 2))
            : requestLimits);
  }

  /** How large queries may be; one tenant's may differ ({@link TimeSeries#limits}). */
  public TimeSeriesBuilder limits(QueryLimits largest) {
    limits = largest;
    return this;
  }

  /** The longest that a query may take, waiting for others' fetches included. Default 30 s. */
  public TimeSeriesBuilder timeout(Duration longest) {
    timeout = Nanos.limit("timeout", longest);
    return this;
  }

  /** The clock that {@code last(…)} and ageing go by. Default the system's. */
  public TimeSeriesBuilder clock(Clock time) {
    clock = time;
    return this;
  }

  /** Who is told of answers. */
  public TimeSeriesBuilder observer(Observer told) {
    observer = told;
    return this;
  }

  /**
   * The caches of this node, with the Redis that they share with others: windows are void on all
   * nodes that have it. Default none: this process alone. They are not closed with the {@link
   * TimeSeries}, which is to be closed first.
   */
  public TimeSeriesBuilder caches(Caches shared) {
    caches = shared;
    return this;
  }

  /**
   * Tags whose voids make all windows of the measurement void, for all ranges: {@link Tag#table} of
   * a table that transactions write, where those tell {@link Caches} of their commits. Needs {@link
   * #caches}.
   */
  public TimeSeriesBuilder tags(String measurement, Tag... voiding) {
    tags.put(Names.require("measurement", measurement), Set.copyOf(List.of(voiding)));
    return this;
  }

  /**
   * How long Redis keeps windows that are final for memory; others as long as they are good.
   * Default 1 day. Needs {@link #caches}.
   */
  public TimeSeriesBuilder remoteLife(Duration longest) {
    if (longest.toMillis() < 1 || longest.compareTo(MOST_REMOTE_LIFE) > 0) {
      throw new ConfigurationException(
          "remoteLife is %s; use 1 ms to %s.".formatted(longest, MOST_REMOTE_LIFE));
    }
    remoteLife = longest;
    return this;
  }

  /**
   * The most bytes that 512 windows of a query may take in Redis, compressed; larger ones are kept
   * in memory alone. Zero: all are. Default 1 MiB. Needs {@link #caches}.
   */
  public TimeSeriesBuilder remoteBytes(int most) {
    if (most < 0 || most > MOST_REMOTE_BYTES) {
      throw new ConfigurationException(
          "remoteBytes is %,d; use 0 to %,d.".formatted(most, MOST_REMOTE_BYTES));
    }
    remoteBytes = most;
    return this;
  }

  /**
   * How long a query that misses 64 windows or more waits for another node that is fetching them,
   * before it fetches them too; half of what is left of its {@link #timeout} at most. Zero: not at
   * all. Default 1 s. Needs {@link #caches}.
   *
   * @throws ConfigurationException when it is negative or over 30 s
   */
  public TimeSeriesBuilder remoteWait(Duration longest) {
    if (longest.isNegative() || longest.compareTo(MOST_REMOTE_WAIT) > 0) {
      throw new ConfigurationException(
          "remoteWait is %s; use 0 to %s.".formatted(longest, MOST_REMOTE_WAIT));
    }
    remoteWait = longest;
    return this;
  }

  /**
   * Names what the backend reads, the same on every node, among all that share the Redis: two that
   * read different data of equal measurements must have different names. Default what the backend
   * says of each measurement: {@link Backend#source}. Needs {@link #caches}.
   */
  public TimeSeriesBuilder source(String name) {
    source = Names.require("source", name);
    return this;
  }

  /** Where windows are written to Redis. Default that of the {@link #caches}. */
  public TimeSeriesBuilder executor(Executor writer) {
    executor = writer;
    return this;
  }

  /** The most memory that cached windows may take, in bytes, about. Default 64 MiB. */
  public TimeSeriesBuilder maximumWeight(long bytes) {
    if (bytes < 0) {
      throw new ConfigurationException("The maximum weight %,d is negative.".formatted(bytes));
    }
    maximumWeight = bytes;
    return this;
  }

  /**
   * Builds it.
   *
   * @throws ConfigurationException when there is no backend, there are tags and no caches, or one
   *     tenant may run more requests at a time than all together
   */
  public TimeSeries build() {
    if (backend == null) {
      throw new ConfigurationException("TimeSeries has no backend; add backend(…).");
    }
    if (caches == null && !tags.isEmpty()) {
      throw new ConfigurationException(
          "The measurements %s have tags, which only caches void; add caches(…)."
              .formatted(tags.keySet()));
    }
    return new TimeSeries(this, backend);
  }
}
