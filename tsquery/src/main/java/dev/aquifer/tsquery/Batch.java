package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queries of one call: equal ones are asked once, each place in the list gets an answer, and
 * the listener is told. Used by one thread, once.
 */
final class Batch {
  static final int MOST_QUERIES = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(Batch.class);

  private final Tenant tenant;
  private final List<TimeSeriesQuery> queries;
  private final BatchListener listener;
  private final Map<Key, List<Integer>> places = new LinkedHashMap<>();
  private final @Nullable BatchAnswer[] answers;
  private int done;
  private boolean logged;

  /** What makes two queries the same question. */
  private record Key(String fingerprint, TimeRange range) {
    static Key of(QueryRun run) {
      return new Key(run.query().fingerprint(), run.range());
    }
  }

  Batch(Tenant tenant, List<TimeSeriesQuery> queries, BatchListener listener) {
    this.tenant = tenant;
    this.queries = List.copyOf(queries);
    this.listener = listener;
    this.answers = new @Nullable BatchAnswer[queries.size()];
    if (queries.size() > MOST_QUERIES) {
      throw new RefusedQueryException(
          "Tenant %s: the batch has %,d queries; at most %,d are allowed. Ask in several batches."
              .formatted(tenant, queries.size(), MOST_QUERIES));
    }
  }

  /**
   * Prepares the queries that are not refused.
   *
   * @throws RefusedQueryException together they have more points than the limit
   */
  List<QueryRun> start(Function<TimeSeriesQuery, QueryRun> starting, long maxPoints) {
    List<QueryRun> runs = new ArrayList<>();
    Map<Integer, RuntimeException> refused = new LinkedHashMap<>();
    long points = 0;
    for (int i = 0; i < queries.size(); i++) {
      try {
        QueryRun run = starting.apply(queries.get(i));
        List<Integer> same = places.computeIfAbsent(Key.of(run), key -> new ArrayList<>());
        if (same.isEmpty()) {
          runs.add(run);
          points += run.points();
        }
        same.add(i);
      } catch (RefusedQueryException e) {
        refused.put(i, e);
      }
      if (points > maxPoints) {
        throw tooMany(points, maxPoints);
      }
    }
    refused.forEach((place, error) -> answer(place, null, error));
    return runs;
  }

  private RefusedQueryException tooMany(long points, long maxPoints) {
    return new RefusedQueryException(
        "Tenant %s: the windows and columns of the batch are %,d points or more, of one series each; at most %,d are allowed. Ask in several batches, for longer windows, or raise the limit."
            .formatted(tenant, points, maxPoints));
  }

  /** A query has ended: so have all that are equal to it. */
  void ended(QueryRun run, @Nullable TimeSeriesResult result, @Nullable RuntimeException error) {
    for (int place : places.getOrDefault(Key.of(run), List.of())) {
      answer(place, result, error);
    }
  }

  List<BatchAnswer> answers() {
    List<BatchAnswer> all = new ArrayList<>(answers.length);
    for (BatchAnswer answer : answers) {
      if (answer == null) {
        throw new IllegalStateException("A query of the batch has no answer");
      }
      all.add(answer);
    }
    return List.copyOf(all);
  }

  private void answer(
      int place, @Nullable TimeSeriesResult result, @Nullable RuntimeException error) {
    BatchAnswer answer = new BatchAnswer(place, queries.get(place), result, error);
    answers[place] = answer;
    done++;
    try {
      listener.answered(answer, done, answers.length);
    } catch (Throwable e) {
      if (!logged) {
        logged = true;
        LOG.warn("Listener {} of a batch failed; the batch goes on", listener.getClass(), e);
      }
    }
  }
}
