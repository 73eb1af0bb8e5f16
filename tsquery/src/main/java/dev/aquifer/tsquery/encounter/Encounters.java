package dev.aquifer.tsquery.encounter;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.TenantContext;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The encounters of one kind: kept in an {@link EncounterStore}, for the current tenant, and told
 * of to a {@link TimeSeries}. Thread-safe; make one a kind and share it.
 *
 * <p>A change is stored first. Then all windows of the {@linkplain EncountersBuilder#measurements
 * measurements} in the time that the encounter had and has are void, as one, on all nodes: those
 * too that a query is fetching meanwhile. When a change returns, both are done. Of changes of one
 * encounter by several at once each sees what the one before it left, so that none is lost and each
 * voids exactly what it replaced.
 *
 * <p>A change that fails for want of the store may have been made all the same; its time is void in
 * either case. A process that dies between storing and voiding leaves windows as they were, until
 * their time is up or the change is made again: {@link #close} and {@link #amend(String, Instant,
 * Instant)} with the times that are kept change nothing and void these anew, and so does {@link
 * #remove(Encounter)} of one that is gone. Time that the encounter gave up by such a change is not
 * known any more; {@link TimeSeries#invalidate(String, Instant, Instant)} voids it.
 *
 * <pre>{@code
 * Encounters stays =
 *     Encounters.builder(series, "stay")
 *         .measurements("vitals")
 *         .store(PostgresEncounters.of(dataSource))
 *         .build();
 * Tenant.of("DFW").run(() -> stays.open("4711", admitted));
 * }</pre>
 */
public final class Encounters {
  /** The most encounters of a page. */
  public static final int MOST = 10_000;

  private final TimeSeries series;
  private final String kind;
  private final List<String> measurements;
  private final EncounterStore store;
  private final EncounterLimits limits;

  Encounters(EncountersBuilder builder, EncounterStore store) {
    this.series = builder.series;
    this.kind = builder.kind;
    this.measurements = List.copyOf(builder.measurements);
    this.store = store;
    this.limits = builder.limits;
  }

  /**
   * A builder; a store and a measurement are needed.
   *
   * @param series which answers queries, and is told of changes
   * @param kind 1 to 64 characters of {@code A-Z a-z 0-9 _ . -}, the same on every node
   * @throws RefusedQueryException the kind is none
   */
  public static EncountersBuilder builder(TimeSeries series, String kind) {
    return new EncountersBuilder(series, EncounterScope.requireKind(kind));
  }

  /** The kind. */
  public String kind() {
    return kind;
  }

  /**
   * Begins one that goes on.
   *
   * @throws EncounterConflictException there is one with this id
   * @throws RefusedQueryException the id or the start is none, or there would be too many
   */
  public Encounter open(String id, Instant start) {
    return add(Encounter.open(id, start));
  }

  /** Keeps a new one whose boundaries are known. Same errors as {@link #open}. */
  public Encounter add(Encounter encounter) {
    EncounterScope scope = scope();
    change(
        scope,
        encounter.id(),
        before -> {
          if (before != null) {
            throw new EncounterConflictException(scope, before, "exists already");
          }
          return encounter;
        });
    return encounter;
  }

  /**
   * Ends one that goes on. One that ended then already stays as it is.
   *
   * @throws UnknownEncounterException there is none with this id
   * @throws EncounterConflictException it has ended at another time; {@link #amend} changes that
   * @throws RefusedQueryException the end is not after the start
   */
  public Encounter close(String id, Instant end) {
    EncounterScope scope = scope();
    return kept(
        scope,
        id,
        before -> {
          if (before.open()) {
            return before.close(end);
          }
          if (!end.equals(before.end())) {
            throw new EncounterConflictException(
                scope, before, "has ended already and cannot end at " + end);
          }
          return before;
        });
  }

  /**
   * Gives one other boundaries, whatever they were.
   *
   * @param end null: it goes on
   * @throws UnknownEncounterException there is none with this id
   * @throws RefusedQueryException the end is not after the start
   */
  public Encounter amend(String id, Instant start, @Nullable Instant end) {
    return kept(scope(), id, before -> before.amend(start, end));
  }

  /**
   * Gives one other boundaries, if they are still those that the caller has seen.
   *
   * @param seen as it was found
   * @throws EncounterConflictException another has changed it since
   * @throws UnknownEncounterException there is none with this id any more
   */
  public Encounter amend(Encounter seen, Instant start, @Nullable Instant end) {
    EncounterScope scope = scope();
    return kept(
        scope,
        seen.id(),
        before -> {
          if (!before.equals(seen)) {
            throw new EncounterConflictException(scope, before, "was changed by another");
          }
          return before.amend(start, end);
        });
  }

  /**
   * Forgets one.
   *
   * @return as it was
   * @throws UnknownEncounterException there is none with this id
   */
  public Encounter remove(String id) {
    EncounterScope scope = scope();
    EncounterChange change =
        change(
            scope,
            id,
            before -> {
              required(scope, id, before);
              return null;
            });
    return required(scope, id, change.before());
  }

  /**
   * Forgets one, if it is still as the caller has seen it. That it is gone already is no error: its
   * time is void anew, so that whoever does not know whether a removal was finished makes it again.
   *
   * @param seen as it was found
   * @throws EncounterConflictException another has changed it since
   */
  public void remove(Encounter seen) {
    EncounterScope scope = scope();
    EncounterChange change =
        change(
            scope,
            seen.id(),
            before -> {
              if (before != null && !before.equals(seen)) {
                throw new EncounterConflictException(scope, before, "was changed by another");
              }
              return null;
            });
    if (change.before() == null) {
      voided(new EncounterChange(seen, null));
    }
  }

  /**
   * The one with this id.
   *
   * @throws RefusedQueryException the id is none
   */
  public Optional<Encounter> find(String id) {
    return store.find(scope(), Encounter.requireId(id));
  }

  /** The first page of {@link #between(Instant, Instant, int, Encounter)}. */
  public EncounterPage between(Instant start, Instant stop, int most) {
    return between(start, stop, most, null);
  }

  /**
   * Those that have a moment in common with {@code [start, stop)}, in order of their start.
   *
   * @param most of a page, 1 to {@link #MOST}
   * @param after {@link EncounterPage#next} of the page before; null: the first page
   * @throws RefusedQueryException start is not before stop, or most is out of range
   */
  public EncounterPage between(Instant start, Instant stop, int most, @Nullable Encounter after) {
    if (most < 1 || most > MOST) {
      throw new RefusedQueryException(
          "A page of %,d encounters: ask for 1 to %,d.".formatted(most, MOST));
    }
    return store.between(scope(), new TimeRange(start, stop), after, most);
  }

  /**
   * Packs the current tenant's encounters that have ended, of whole months (UTC, of their starts)
   * before a time, where the store does so: fewer bytes, and few rows to read for years. All else
   * works on them as before; one that is amended is unpacked. Run it now and then, from one node:
   * those that end later are packed the next time.
   *
   * @return how many were packed
   * @throws RefusedQueryException the time is out of the range of 64-bit nanoseconds
   */
  public long archive(Instant before) {
    EncounterOrder.requireTime(before);
    return store.archive(scope(), before);
  }

  /**
   * Answers the query over the time of one, as {@link TimeSeries#query(Encounter,
   * TimeSeriesQuery)}: to its end, or to now.
   *
   * @throws UnknownEncounterException there is none with this id
   * @throws RefusedQueryException also when it begins later than now
   */
  public TimeSeriesResult query(String id, TimeSeriesQuery query) {
    EncounterScope scope = scope();
    return series.query(required(scope, id, find(id).orElse(null)), query);
  }

  /**
   * Finds encounters in the points of {@code [start, stop)}, and keeps nothing. Both ends are moved
   * back to edges of windows of the resolution. Nothing is taken to go on when the range begins;
   * what goes on when it ends is open.
   *
   * @return in order of start; an id is the values of the group tags, {@code @} and the start, such
   *     as {@code d1@2026-03-01T00:00:00Z}
   * @throws RefusedQueryException the range is too long for the resolution: over 1,000,000 windows
   *     would be counted; or as {@link TimeSeries#query}
   */
  public List<Encounter> detect(Detection detection, Instant start, Instant stop) {
    TimeRange range = Detector.whole(detection, new TimeRange(start, stop));
    return new Detector(series, detection, range, Map.of()).found();
  }

  /**
   * Finds encounters as {@link #detect} does, and keeps them: of those that were detected before
   * and have a moment in common with the range, each is amended if it ends at another time now, and
   * removed if none starts there any more. What went on when the range began is looked at from its
   * own start. So the same run twice changes nothing, ranges that join or overlap keep what one
   * range over all of them would, and late points are seen by a run over their time. Let it reach
   * to the end of what was recorded before.
   *
   * <p>Encounters with {@code @} in their id are taken to be detected: give each detection a kind
   * of its own. Nothing is void: no point is another than before. Two runs at once leave each
   * encounter as one of them found it.
   *
   * @throws RefusedQueryException also when there would be too many; those before are kept then
   */
  public EncounterRecording record(Detection detection, Instant start, Instant stop) {
    TimeRange range = Detector.whole(detection, new TimeRange(start, stop));
    return new Recorder(store, scope(), limits).record(series, detection, range);
  }

  private EncounterScope scope() {
    return new EncounterScope(TenantContext.require(), kind);
  }

  private interface Amendment {
    Encounter of(Encounter before);
  }

  /** One that must be there, changed. */
  private Encounter kept(EncounterScope scope, String id, Amendment amendment) {
    EncounterChange change = change(scope, id, before -> amendment.of(required(scope, id, before)));
    return required(scope, id, change.after());
  }

  private static Encounter required(
      EncounterScope scope, String id, @Nullable Encounter encounter) {
    if (encounter == null) {
      throw new UnknownEncounterException(scope, id);
    }
    return encounter;
  }

  private EncounterChange change(
      EncounterScope scope, String id, EncounterStore.Decision decision) {
    Encounter.requireId(id);
    @Nullable EncounterChange[] decided = new @Nullable EncounterChange[1];
    EncounterChange change;
    try {
      change =
          store.change(
              scope,
              id,
              limits,
              before -> {
                decided[0] = null;
                Encounter after = decision.after(before);
                decided[0] = new EncounterChange(before, after);
                return after;
              });
    } catch (RefusedQueryException e) {
      throw e;
    } catch (RuntimeException e) {
      // When the store fails after the decision, nobody knows whether it kept the change.
      try {
        voided(decided[0]);
      } catch (RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    voided(change);
    return change;
  }

  private void voided(@Nullable EncounterChange change) {
    if (change == null) {
      return;
    }
    Encounter before = change.before() == null ? change.after() : change.before();
    Encounter after = change.after() == null ? change.before() : change.after();
    if (before != null && after != null) {
      measurements.forEach(measurement -> series.changed(measurement, before, after));
    }
  }
}
