package dev.aquifer.tsquery.encounter;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.PointPredicate;
import dev.aquifer.tsquery.TimeSeriesQuery;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How encounters are found in points. Immutable.
 *
 * <p>Time is seen in windows of the resolution, counted from 1970-01-01T00:00Z. An encounter of a
 * group begins at the start of the first window in which a point satisfies the start condition. It
 * ends at the end of the first window, the same or a later one, in which a point satisfies the stop
 * condition, or with a {@linkplain Builder#quiet silence}, whichever comes first. The next begins
 * in a later window: a window that has both conditions ends the encounter that goes on, or is one
 * by itself if none does.
 *
 * <pre>{@code
 * Detection runs =
 *     Detection.builder("machine")
 *         .start("rpm", FieldPredicate.gt("rpm", 100))
 *         .stop("rpm", FieldPredicate.le("rpm", 100))
 *         .groupBy("device")
 *         .resolution(Duration.ofSeconds(1))
 *         .build();
 * }</pre>
 */
public final class Detection {
  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofDays(1);
  private static final Duration LONGEST_QUIET = Duration.ofDays(366);

  private final String measurement;
  private final Sign start;
  private final Sign stop;
  private final @Nullable Sign activity;
  private final List<String> groupBy;
  private final Duration resolution;
  private final Duration quiet;

  /** Points of a field, all or those that satisfy a condition. */
  private record Sign(String field, @Nullable PointPredicate condition) {}

  private Detection(Builder builder, Sign start, Sign stop, Duration resolution) {
    this.measurement = builder.measurement;
    this.start = start;
    this.stop = stop;
    this.activity = builder.activity;
    this.groupBy = List.copyOf(builder.groupBy);
    this.resolution = resolution;
    this.quiet = builder.quiet;
    for (Sign sign : signs()) {
      query(sign, resolution, Instant.EPOCH, Instant.EPOCH.plus(resolution));
    }
  }

  /** One in the points of this measurement. */
  public static Builder builder(String measurement) {
    return new Builder(measurement);
  }

  /** The measurement. */
  public String measurement() {
    return measurement;
  }

  /** The tags whose values tell one thing from another, sorted. */
  public List<String> groupBy() {
    return groupBy;
  }

  /** How exact boundaries are. */
  public Duration resolution() {
    return resolution;
  }

  long resolutionNanos() {
    return resolution.toNanos();
  }

  /** Zero: silence ends nothing. */
  long quietNanos() {
    return quiet.toNanos();
  }

  /** How many kinds of points are counted, each by a query of its own. */
  int countings() {
    return signs().size();
  }

  /** Counts points of one kind: 0 those of the start, 1 of the stop, 2 of any activity. */
  TimeSeriesQuery counting(int kind, Duration every, Instant from, Instant to) {
    return query(signs().get(kind), every, from, to);
  }

  private List<Sign> signs() {
    return activity == null ? List.of(start, stop) : List.of(start, stop, activity);
  }

  private TimeSeriesQuery query(Sign sign, Duration every, Instant from, Instant to) {
    TimeSeriesQuery.Builder query =
        TimeSeriesQuery.builder(measurement)
            .select(Aggregate.COUNT, sign.field)
            .groupBy(groupBy.toArray(String[]::new))
            .every(every)
            .range(from, to);
    if (sign.condition != null) {
      query.where(sign.condition);
    }
    return query.build();
  }

  @Override
  public String toString() {
    return "encounters in %s by %s, to %s".formatted(measurement, groupBy, resolution);
  }

  /** Builds a {@link Detection}. Not thread-safe. */
  public static final class Builder {
    private final String measurement;
    private @Nullable Sign start;
    private @Nullable Sign stop;
    private @Nullable Sign activity;
    private final TreeSet<String> groupBy = new TreeSet<>();
    private @Nullable Duration resolution;
    private Duration quiet = Duration.ZERO;

    private Builder(String measurement) {
      this.measurement = measurement;
    }

    /**
     * Which points begin an encounter. Needed.
     *
     * @param field points have it
     * @param condition on that field, on tags, or on both
     */
    public Builder start(String field, PointPredicate condition) {
      start = new Sign(field, condition);
      return this;
    }

    /** Which points end one, in the same way. Needed. */
    public Builder stop(String field, PointPredicate condition) {
      stop = new Sign(field, condition);
      return this;
    }

    /**
     * It also ends when so long no point of its group has the field, nor begins or ends one: at the
     * end of the last window that has such a point. Silence is seen in whole windows. Default: it
     * goes on.
     *
     * @param time the resolution or longer, up to 366 days
     */
    public Builder quiet(Duration time, String field) {
      quiet = time;
      activity = new Sign(field, null);
      return this;
    }

    /** Adds tags that tell one thing from another, such as a device. Default none: all is one. */
    public Builder groupBy(String... tags) {
      groupBy.addAll(List.of(tags));
      return this;
    }

    /** How exact boundaries are: a millisecond to a day. Needed. */
    public Builder resolution(Duration length) {
      resolution = length;
      return this;
    }

    /**
     * The detection.
     *
     * @throws RefusedQueryException when a part is missing or out of range, or a condition is on
     *     another field than the one given with it
     */
    public Detection build() {
      if (start == null || stop == null || resolution == null) {
        throw new RefusedQueryException(
            "The detection in %s has no %s; add it."
                .formatted(
                    measurement,
                    start == null ? "start(…)" : stop == null ? "stop(…)" : "resolution(…)"));
      }
      requireBetween("resolution", resolution, SHORTEST, LONGEST);
      if (activity != null) {
        requireBetween("quiet time", quiet, resolution, LONGEST_QUIET);
      }
      return new Detection(this, start, stop, resolution);
    }

    private void requireBetween(String what, Duration time, Duration least, Duration most) {
      if (time.compareTo(least) < 0 || time.compareTo(most) > 0) {
        throw new RefusedQueryException(
            "The %s of the detection in %s is %s; use %s to %s."
                .formatted(what, measurement, time, least, most));
      }
    }
  }
}
