package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A question about a time series: which fields of a measurement, aggregated how, in which windows
 * of which range, for which tags, grouped by which.
 *
 * <p>Immutable and thread-safe. It never names a tenant: {@link TimeSeries} adds the current one,
 * and refuses queries that name the tenant's tag themselves.
 *
 * <pre>{@code
 * TimeSeriesQuery query =
 *     TimeSeriesQuery.builder("departure")
 *         .select(Aggregate.MEAN, "delay")
 *         .where(TagPredicate.in("destination", List.of("DFW", "ORD")))
 *         .last(Duration.ofHours(24))
 *         .every(Duration.ofMinutes(10))
 *         .groupBy("destination")
 *         .build();
 * }</pre>
 */
public final class TimeSeriesQuery {
  private static final int CANONICAL_VERSION = 1;

  private final String measurement;
  private final List<Selection> selections;
  private final @Nullable PointPredicate predicate;
  private final @Nullable Condition condition;
  private final QueryRange range;
  private final Window window;
  private final int maxPoints;
  private final Step offset;
  private final ZoneId zone;
  private final List<String> groupBy;
  private final Fill fill;
  private final List<Stage> stages;
  private final String bucketsFingerprint;
  private final String fingerprint;

  private TimeSeriesQuery(Builder builder, QueryRange range, Window window) {
    this.measurement = builder.measurement;
    this.selections = List.copyOf(builder.selections);
    this.predicate = builder.predicate;
    this.condition = builder.predicate == null ? null : Condition.of(builder.predicate);
    if (condition != null) {
      FieldScope.require(condition, selections);
    }
    this.range = range;
    this.window = window;
    this.maxPoints = builder.maxPoints;
    this.offset = builder.offset;
    this.zone = builder.zone;
    this.groupBy = List.copyOf(builder.groupBy);
    this.fill = builder.fill;
    this.stages = List.copyOf(builder.stages);
    Stages.require(stages, selections);
    this.bucketsFingerprint = canonical().digest();
    this.fingerprint = canonicalWithStages().digest();
  }

  /** A query of this measurement. */
  public static Builder builder(String measurement) {
    return new Builder(Names.require("measurement", measurement));
  }

  /** The measurement. */
  public String measurement() {
    return measurement;
  }

  /** The columns, in order. */
  public List<Selection> selections() {
    return selections;
  }

  /** The condition on points, if there is one. */
  public @Nullable PointPredicate predicate() {
    return predicate;
  }

  /** The range. */
  public QueryRange range() {
    return range;
  }

  /** The windows. */
  public Window window() {
    return window;
  }

  /** The tags that tell series apart, sorted; empty: all points are one series. */
  public List<String> groupBy() {
    return groupBy;
  }

  /** What stands in empty windows. */
  public Fill fill() {
    return fill;
  }

  /** What is done to the windows after they were filled, in order. */
  public List<Stage> stages() {
    return stages;
  }

  /**
   * SHA-256, in hexadecimal, of the query without its range. Queries that differ only in the range,
   * in the order of their predicates or of their group tags have the same one.
   */
  public String fingerprint() {
    return fingerprint;
  }

  /** The same query over another range. */
  public TimeSeriesQuery withRange(Instant start, Instant stop) {
    return toBuilder().range(start, stop).build();
  }

  /** A builder that starts with all of this query's parts. */
  public Builder toBuilder() {
    Builder builder = new Builder(measurement);
    builder.selections.addAll(selections);
    builder.predicate = predicate;
    builder.range = range;
    builder.maxPoints = maxPoints;
    builder.every = maxPoints > 0 ? null : window.every();
    builder.period = window.tiles() ? null : window.period();
    // As they were given: the window has them reduced to its own length.
    builder.offset = offset;
    builder.zone = zone;
    builder.groupBy.addAll(groupBy);
    builder.fill = fill;
    builder.stages.addAll(stages);
    return builder;
  }

  @Nullable Condition condition() {
    return condition;
  }

  /** The fingerprint without what is done to buckets after they are there: such queries share. */
  String bucketsFingerprint() {
    return bucketsFingerprint;
  }

  private Canonical canonical() {
    Canonical out = new Canonical().number(CANONICAL_VERSION).text(measurement);
    out.number(selections.size());
    for (Selection selection : selections) {
      out.text(selection.aggregate().name()).text(selection.field());
      if (selection.quantile() != null) {
        out.real(selection.quantile());
      }
    }
    window.encode(out);
    out.number(groupBy.size());
    groupBy.forEach(out::text);
    out.number(condition == null ? 0 : 1);
    if (condition != null) {
      Condition.encode(condition, out);
    }
    return out;
  }

  private Canonical canonicalWithStages() {
    Canonical out = canonical().text(fill.kind().name());
    if (fill.value() instanceof Long whole) {
      out.number(whole);
    } else if (fill.value() instanceof Double real) {
      out.real(real);
    }
    Stages.encode(stages, out);
    return out;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TimeSeriesQuery query
        && fingerprint.equals(query.fingerprint)
        && range.equals(query.range);
  }

  @Override
  public int hashCode() {
    return Objects.hash(fingerprint, range);
  }

  @Override
  public String toString() {
    return "%s from %s, %s, every %s, grouped by %s, fingerprint %s"
        .formatted(
            selections, measurement, range, window.every(), groupBy, fingerprint.substring(0, 12));
  }

  /** Builds a {@link TimeSeriesQuery}. Not thread-safe. */
  public static final class Builder {
    private final String measurement;
    private final List<Selection> selections = new ArrayList<>();
    private @Nullable PointPredicate predicate;
    private @Nullable QueryRange range;
    private @Nullable Step every;
    private int maxPoints;
    private @Nullable Step period;
    private Step offset = Step.ZERO;
    private ZoneId zone = ZoneOffset.UTC;
    private final TreeSet<String> groupBy = new TreeSet<>();
    private Fill fill = Fill.none();
    private final List<Stage> stages = new ArrayList<>();

    private Builder(String measurement) {
      this.measurement = measurement;
    }

    /** Adds a column. At least one is needed; the same one twice is refused. */
    public Builder select(Aggregate aggregate, String field) {
      return select(new Selection(aggregate, field));
    }

    /** Adds a column, such as {@link Selection#quantile}. */
    public Builder select(Selection selection) {
      if (selections.contains(selection)) {
        throw new RefusedQueryException("%s is selected twice.".formatted(selection));
      }
      selections.add(selection);
      return this;
    }

    /** Adds a condition on tags or on the field; with those before, all must hold. */
    public Builder where(PointPredicate condition) {
      predicate = predicate == null ? condition : PointPredicate.and(predicate, condition);
      return this;
    }

    /** The time from start, inclusive, to stop, exclusive. */
    public Builder range(Instant start, Instant stop) {
      range = new TimeRange(start, stop);
      return this;
    }

    /** The time that ends when the query is asked, by the clock of the {@link TimeSeries}. */
    public Builder last(Duration duration) {
      range = new LastRange(duration);
      return this;
    }

    /** How far it is from one window to the next, and how long each is. Needed. */
    public Builder every(Duration length) {
      return every(Step.of(length));
    }

    /** The same, by the calendar: days, weeks, or months and years. */
    public Builder every(Period length) {
      return every(Step.of(length));
    }

    private Builder every(Step step) {
      if (maxPoints > 0) {
        throw new RefusedQueryException(
            "Windows every %s contradict maxPoints(%d); give one of both."
                .formatted(step, maxPoints));
      }
      every = step;
      return this;
    }

    /**
     * Instead of {@code every}: the shortest step that people read, of a millisecond to ten years,
     * with which the range has at most so many windows. A relative range keeps its step as it moves
     * on.
     *
     * @param most windows, 2 at least
     */
    public Builder maxPoints(int most) {
      if (most < 2) {
        throw new RefusedQueryException(
            "maxPoints(%d) is too few: a range may begin in one window and end in the next."
                .formatted(most));
      }
      if (every != null) {
        throw new RefusedQueryException(
            "maxPoints(%d) contradicts windows every %s; give one of both.".formatted(most, every));
      }
      maxPoints = most;
      return this;
    }

    /** How long each window is, where that is not how far it is to the next. */
    public Builder period(Duration length) {
      period = Step.of(length);
      return this;
    }

    /** The same, by the calendar. */
    public Builder period(Period length) {
      period = Step.of(length);
      return this;
    }

    /** Moves the edges of the windows from those of 1970-01-01T00:00. Default 0. */
    public Builder offset(Duration by) {
      offset = Step.of(by);
      return this;
    }

    /** The same, by the calendar: a year from April is one with an offset of three months. */
    public Builder offset(Period by) {
      offset = Step.of(by);
      return this;
    }

    /** Whose clock and calendar windows go by. Default UTC. */
    public Builder zone(ZoneId by) {
      zone = by;
      return this;
    }

    /** Adds tags that tell series apart. */
    public Builder groupBy(String... tags) {
      for (String tag : tags) {
        groupBy.add(Names.require("tag", tag));
      }
      return this;
    }

    /** What stands in empty windows. Default: they are left out. */
    public Builder fill(Fill how) {
      fill = how;
      return this;
    }

    /** Adds something to be done to the windows, after what was added before. At most 16. */
    public Builder then(Stage stage) {
      stages.add(stage);
      return this;
    }

    /**
     * The query.
     *
     * @throws RefusedQueryException when a column, the range or the window is missing, or when a
     *     condition is on another field than the one that is selected, or a stage reads a column
     *     that is not there
     */
    public TimeSeriesQuery build() {
      if (selections.isEmpty()) {
        throw new RefusedQueryException(
            "The query of %s selects nothing; add select(aggregate, field)."
                .formatted(measurement));
      }
      if (range == null) {
        throw new RefusedQueryException(
            "The query of %s has no range; add range(start, stop) or last(duration)."
                .formatted(measurement));
      }
      if (maxPoints > 0 && period != null) {
        throw new RefusedQueryException(
            "A period of %s contradicts maxPoints(%d), which chooses it; give every(…) instead."
                .formatted(period, maxPoints));
      }
      Step step = maxPoints > 0 ? StepLadder.shortest(range, maxPoints, offset, zone) : every;
      if (step == null) {
        throw new RefusedQueryException(
            "The query of %s has no window; add every(…) or maxPoints(…).".formatted(measurement));
      }
      return new TimeSeriesQuery(
          this, range, new Window(step, period == null ? step : period, offset, zone));
    }
  }
}
