package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Asks the backend for windows of one query, in turns and within the query's time, and counts what
 * came. Used by one thread.
 */
final class Fetching {
  private final QuerySetting setting;
  private final Tenant tenant;
  private final TimeSeriesQuery query;
  private final WindowGrid grid;
  private final Assembly assembly;
  private final long started = System.nanoTime();
  private long fetched;
  private int requests;

  Fetching(
      QuerySetting setting,
      Tenant tenant,
      TimeSeriesQuery query,
      WindowGrid grid,
      Assembly assembly) {
    this.setting = setting;
    this.tenant = tenant;
    this.query = query;
    this.grid = grid;
    this.assembly = assembly;
  }

  /** Windows that were asked for. */
  long fetched() {
    return fetched;
  }

  /** Requests that were sent. */
  int requests() {
    return requests;
  }

  /** How long ago it began. */
  long tookNanos() {
    return System.nanoTime() - started;
  }

  /** When the read began, by the clock: what is kept is never said to be younger than it is. */
  long fetch(List<Run> runs) {
    assembly.expect(runs);
    boolean few = assembly.few(runs);
    long began = Long.MAX_VALUE;
    for (List<Stretch> stretches : stretches(runs)) {
      RequestQueue.Turn turn = setting.queue().take(tenant, query.measurement(), remaining());
      try {
        began = Math.min(began, now());
        requests++;
        setting.timed(
            tenant,
            query,
            assembly::bytes,
            () -> setting.backend().fetch(request(stretches, few), assembly));
      } finally {
        turn.close();
      }
    }
    fetched += count(runs);
    return began;
  }

  /** The one request that these windows take, ready to be sent; null when they take several. */
  @Nullable FetchRequest single(List<Run> runs) {
    List<List<Stretch>> stretches = stretches(runs);
    if (stretches.size() > 1) {
      return null;
    }
    assembly.expect(runs);
    return request(stretches.get(0), assembly.few(runs));
  }

  /** Counts what came with requests that were sent for several queries. */
  void countFetched(List<Run> runs, int requestsSent) {
    requests += requestsSent;
    fetched += count(runs);
  }

  /** Counts what was fetched for the parts of one window. */
  void count(Fetching parts) {
    requests += parts.requests;
    fetched += parts.fetched > 0 ? 1 : 0;
  }

  /** What each request would ask for. */
  List<FetchRequest> requests(List<Run> runs) {
    boolean few = assembly.few(runs);
    return stretches(runs).stream().map(each -> request(each, few)).toList();
  }

  /** A request for some of the query's windows, whole ones where it has any; never sent. */
  FetchRequest sample() {
    boolean whole = grid.fullFirst() < grid.fullEnd();
    Stretch stretch =
        grid.stretches(whole ? grid.fullFirst() : grid.first(), whole ? grid.fullEnd() : grid.end())
            .get(0);
    return new FetchRequest(
        query, setting.tenantTag(), tenant, List.of(stretch), false, setting.timeout());
  }

  int count(List<Run> runs) {
    return runs.stream().mapToInt(run -> grid.count(run.from(), run.to())).sum();
  }

  /**
   * What is left of the query's time.
   *
   * @throws UnavailableException nothing is
   */
  Duration remaining() {
    Duration left = setting.timeout().minusNanos(tookNanos());
    if (left.isNegative() || left.isZero()) {
      throw tooSlow(null);
    }
    return left;
  }

  /** Waits until the flight has ended; false when it failed. */
  boolean await(Flight flight) {
    try {
      flight.done().get(remaining().toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException e) {
      return false;
    } catch (TimeoutException e) {
      throw tooSlow(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "Interrupted while another query fetched windows of %s from %s"
              .formatted(query.measurement(), setting.backend().name()),
          e);
    }
  }

  UnavailableException tooSlow(@Nullable Throwable cause) {
    return new UnavailableException(
        "A query of %s was not answered by %s within %s"
            .formatted(query.measurement(), setting.backend().name(), setting.timeout()),
        cause);
  }

  long now() {
    return Nanos.of(setting.clock().instant());
  }

  private FetchRequest request(List<Stretch> stretches, boolean few) {
    return new FetchRequest(query, setting.tenantTag(), tenant, stretches, few, remaining());
  }

  private List<List<Stretch>> stretches(List<Run> runs) {
    List<Stretch> all = new ArrayList<>();
    for (Run run : runs) {
      all.addAll(grid.stretches(run.from(), run.to()));
    }
    int most = setting.backend().rangesInRequest();
    List<List<Stretch>> made = new ArrayList<>();
    for (int from = 0; from < all.size(); from += most) {
      made.add(List.copyOf(all.subList(from, Math.min(all.size(), from + most))));
    }
    return made;
  }
}
