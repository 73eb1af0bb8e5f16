package dev.aquifer.tsquery;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What queries cost, a tenant and fingerprint: the heaviest by time, of as many tenants as were
 * active last. A new fingerprint takes the place of the lightest one and begins with its time, so
 * that none that is heavy enough is ever missed (Metwally et al., "Efficient computation of
 * frequent and top-k elements in data streams", 2005).
 *
 * <p>Thread-safe; a lock a tenant is held for some additions.
 */
final class Profiles {
  private static final int MOST_TENANTS = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(Profiles.class);

  private final int fingerprints;
  private final Cache<Tenant, Ranking> tenants =
      Caffeine.newBuilder().maximumSize(MOST_TENANTS).executor(Runnable::run).build();

  /**
   * Profiles.
   *
   * @param fingerprints of a tenant, 0: none are kept
   */
  Profiles(int fingerprints) {
    this.fingerprints = fingerprints;
  }

  /**
   * A query has ended.
   *
   * @param result null when it failed
   */
  void ended(QueryRun run, @Nullable TimeSeriesResult result) {
    if (fingerprints > 0) {
      tenants.get(run.tenant(), key -> new Ranking()).ended(run, result);
    }
  }

  List<QueryProfile> of(Tenant tenant) {
    Ranking ranking = tenants.getIfPresent(tenant);
    return ranking == null ? List.of() : ranking.profiles();
  }

  /** Those of all tenants that took most time. */
  List<CostReport.Cost> heaviest(int most) {
    return tenants.asMap().entrySet().stream()
        .flatMap(each -> each.getValue().heaviest(each.getKey(), most).stream())
        .sorted(Comparator.comparing((CostReport.Cost cost) -> cost.profile().time()).reversed())
        .limit(most)
        .toList();
  }

  /** One tenant's. */
  private final class Ranking {
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Entry> entries = new HashMap<>();

    void ended(QueryRun run, @Nullable TimeSeriesResult result) {
      lock.lock();
      try {
        entry(run).add(run, result);
      } finally {
        lock.unlock();
      }
    }

    private Entry entry(QueryRun run) {
      String fingerprint = run.query().fingerprint();
      Entry known = entries.get(fingerprint);
      if (known != null) {
        return known;
      }
      Entry made = new Entry(run.query(), remarks(run));
      if (entries.size() >= fingerprints) {
        Map.Entry<String, Entry> lightest = null;
        for (Map.Entry<String, Entry> each : entries.entrySet()) {
          if (lightest == null || each.getValue().nanos < lightest.getValue().nanos) {
            lightest = each;
          }
        }
        if (lightest != null) {
          entries.remove(lightest.getKey());
          made.nanos = lightest.getValue().nanos;
          made.count = lightest.getValue().count;
          made.unseen = made.count;
        }
      }
      entries.put(fingerprint, made);
      return made;
    }

    private static List<String> remarks(QueryRun run) {
      try {
        return run.remarks();
      } catch (RuntimeException e) {
        LOG.debug("Nothing is said of what a server does of {}", run.query().measurement(), e);
        return List.of();
      }
    }

    List<CostReport.Cost> heaviest(Tenant tenant, int most) {
      lock.lock();
      try {
        return entries.entrySet().stream()
            .sorted(Comparator.comparingLong((Map.Entry<String, Entry> e) -> -e.getValue().nanos))
            .limit(most)
            .map(each -> new CostReport.Cost(tenant, each.getValue().profile(each.getKey())))
            .toList();
      } finally {
        lock.unlock();
      }
    }

    List<QueryProfile> profiles() {
      lock.lock();
      try {
        return entries.entrySet().stream()
            .map(each -> each.getValue().profile(each.getKey()))
            .sorted(Comparator.comparing(QueryProfile::time).reversed())
            .toList();
      } finally {
        lock.unlock();
      }
    }
  }

  /** One fingerprint's. Guarded by its tenant's lock. */
  private static final class Entry {
    private final TimeSketch times = new TimeSketch();
    private final List<String> remarks;
    private TimeSeriesQuery query;
    private long nanos;
    private long count;
    private long unseen;
    private long failed;
    private long windows;
    private long fetched;
    private long clipped;
    private long refetched;
    private long points;
    private long requests;
    private long bytes;
    // The windows that were in some answer: from, to.
    private long knownFrom;
    private long knownTo;

    Entry(TimeSeriesQuery query, List<String> remarks) {
      this.query = query;
      this.remarks = remarks;
    }

    void add(QueryRun run, @Nullable TimeSeriesResult result) {
      query = run.query();
      count++;
      nanos += run.tookNanos();
      bytes += run.bytes();
      if (result == null) {
        failed++;
        return;
      }
      times.add(run.tookNanos());
      windows += result.shown();
      fetched += result.fetched();
      requests += result.requests();
      for (Series series : result.series()) {
        points += (long) series.size() * series.columns().size();
      }
      if (result.fetched() > 0) {
        WindowGrid grid = run.grid();
        clipped += grid.clipped();
        long whole = Math.max(0, result.fetched() - grid.clipped());
        refetched += Math.max(0, whole - unknown(grid.first(), grid.end()));
      }
      know(run.grid().first(), run.grid().end());
    }

    /** How many of these windows were in no answer yet. */
    private long unknown(long from, long to) {
      if (knownFrom >= knownTo) {
        return to - from;
      }
      long before = Math.max(0, Math.min(to, knownFrom) - from);
      long after = Math.max(0, to - Math.max(from, knownTo));
      return before + after;
    }

    /** Of ranges that lie apart the last is known: what is called fetched again must be so. */
    private void know(long from, long to) {
      boolean apart = knownFrom >= knownTo || from > knownTo || to < knownFrom;
      knownFrom = apart ? from : Math.min(knownFrom, from);
      knownTo = apart ? to : Math.max(knownTo, to);
    }

    QueryProfile profile(String fingerprint) {
      return new QueryProfile(
          fingerprint,
          query,
          count,
          failed,
          Duration.ofNanos(nanos),
          times.quantile(0.5),
          times.quantile(0.95),
          times.quantile(0.99),
          windows,
          fetched,
          clipped,
          refetched,
          points,
          requests,
          bytes,
          remarks,
          unseen);
    }
  }
}
