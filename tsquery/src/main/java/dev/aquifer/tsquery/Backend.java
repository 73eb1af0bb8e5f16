package dev.aquifer.tsquery;

import dev.aquifer.UnavailableException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server that holds time series, with the dialect it speaks. Implementations are thread-safe.
 *
 * <p>Every read that is sent carries exactly one condition on the tenant, at the top, with the
 * request's tenant. Windows without points are not reported: filling is done on this side, so that
 * answers are the same on every server.
 */
public interface Backend extends AutoCloseable {
  /** What it is called in messages; without credentials. */
  String name();

  /**
   * What the measurement's points are of, the same on every node, among all that is read by
   * backends on one Redis: two that read different points of measurements of one name, or read the
   * same ones in different ways, must say different things. May ask the server, once. Default the
   * {@link #name}.
   *
   * @return null: that is not known, so windows of the measurement are not shared with other nodes
   */
  default @Nullable String source(String measurement) {
    return name();
  }

  /**
   * Refuses what the dialect cannot do, before any I/O.
   *
   * @throws dev.aquifer.RefusedQueryException naming the part that cannot be done
   */
  void check(TimeSeriesQuery query);

  /** The statements that {@link #fetch} sends for the request. */
  List<StatementText> render(FetchRequest request);

  /**
   * What stands against the server's computing the windows where it stores the points, and what to
   * do about it where that is known: sentences without their ends. Sends nothing. None where it
   * does all that it can, or that cannot be known.
   */
  default List<String> remarks(FetchRequest request) {
    return List.of();
  }

  /**
   * Sends one request, and hands the whole answer to the sink, or throws. A sink that was handed
   * half an answer is thrown away by the caller.
   *
   * @throws dev.aquifer.UnavailableException the server could not be reached, broke off, or passed
   *     the request's timeout; named without credentials
   */
  void fetch(FetchRequest request, RowSink sink);

  /**
   * Whether a field of the query has whole numbers alone, and a request for both its sum and the
   * number of its points reads the same points for both, whatever is written meanwhile. Where that
   * is not known, false: sums and means are then never put together of those of shorter windows.
   */
  default boolean totals(TimeSeriesQuery query, String field) {
    return false;
  }

  /**
   * Sends several requests of one tenant as one, and hands on what comes of each. Throws what ends
   * all of them. Called where {@link #queriesInRequest} is more than 1; this default sends them one
   * by one, each within what those before it left of its timeout.
   *
   * @throws dev.aquifer.UnavailableException as {@link #fetch}
   */
  default void fetchAll(List<FetchRequest> requests, BatchSink sink) {
    long began = System.nanoTime();
    for (int i = 0; i < requests.size(); i++) {
      FetchRequest request = requests.get(i);
      Duration left = request.left(began);
      if (left.isZero()) {
        sink.failed(
            i,
            new UnavailableException(
                "%s did not answer a query of %s within %s"
                    .formatted(name(), request.query().measurement(), request.timeout())));
      } else {
        fetch(request.within(left), sink.rows(i));
        sink.answered(i);
      }
    }
  }

  /**
   * Whether its line protocol is that of InfluxDB 3: in names and values of tags, a backslash also
   * escapes a backslash, and values of tags may have an equals sign as it is. Default false, as for
   * InfluxDB 1.x and 2.x.
   */
  default boolean escapesBackslashes() {
    return false;
  }

  /** How many queries one request may have; 1: each is sent by itself. */
  default int queriesInRequest() {
    return 1;
  }

  /** How many stretches of windows one request may have. */
  default int rangesInRequest() {
    return 32;
  }

  /** Lets go of what it made itself; not of what it was given. Idempotent. */
  @Override
  default void close() {}
}
