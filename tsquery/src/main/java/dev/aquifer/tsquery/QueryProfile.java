package dev.aquifer.tsquery;

import java.time.Duration;
import java.util.List;

/**
 * What the queries of one fingerprint (equal but for their ranges) cost a tenant on this node since
 * they were first seen. Immutable.
 *
 * @param fingerprint see {@link TimeSeriesQuery#fingerprint()}
 * @param query the last of them; its tag values are the application's own
 * @param count how many ended, with an answer or without
 * @param failed how many without
 * @param time the sum of their times, waiting included
 * @param p50 half of the answers took at most this; up to a quarter too high, as the next two
 * @param p95 so did 95 of 100
 * @param p99 so did 99 of 100
 * @param windows windows in the answers
 * @param fetched windows that had to be fetched for them
 * @param clipped of those, windows that a range began or ended in: they are never kept
 * @param refetched of those, whole windows that had been fetched before
 * @param points values in the answers, empty ones included
 * @param requests sent to the backend
 * @param bytes of its answers, broken ones too: over HTTP those of the bodies as they came,
 *     compressed where the server compresses them (through an application's own client, after it
 *     unpacked them); from InfluxDB 3 those of Arrow's buffers; from PostgreSQL an estimate, 7 for
 *     a row and 4 for a column beside 8 for a number and the length of a text. An answer to several
 *     queries counts for each by its rows
 * @param remarks what stands against the backend's computing the windows where it stores the
 *     points, as {@link Backend#remarks} says of the first of them
 * @param unseen how many of {@code count}, with their part of {@code time}, were of other
 *     fingerprints whose place this one took
 */
public record QueryProfile(
    String fingerprint,
    TimeSeriesQuery query,
    long count,
    long failed,
    Duration time,
    Duration p50,
    Duration p95,
    Duration p99,
    long windows,
    long fetched,
    long clipped,
    long refetched,
    long points,
    long requests,
    long bytes,
    List<String> remarks,
    long unseen) {

  /** The share of the windows that were not fetched; 0 when there were none. */
  public double hitShare() {
    return windows == 0 ? 0 : Math.max(0, 1 - (double) fetched / windows);
  }

  /** What would make them cheaper, in words, each with the figures that say so; the best first. */
  public List<String> suggestions() {
    return Suggestions.of(this);
  }
}
