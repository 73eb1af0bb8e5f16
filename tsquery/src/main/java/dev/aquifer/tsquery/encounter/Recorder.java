package dev.aquifer.tsquery.encounter;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import dev.aquifer.tsquery.TimeSeries;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what is detected in a range: what is kept of it becomes what is found, no more and no less.
 * Whatever goes on when the range begins, or ended with a silence shortly before, is looked at from
 * its own start, so that ranges that join or overlap find what one range over all of them does.
 *
 * <p>Each encounter is changed only if it is as it was when the run began; what another changes
 * meanwhile stays, until the next run. Used by one thread, once.
 */
final class Recorder {
  private static final int MOST_KEPT = 100_000;

  private final EncounterStore store;
  private final EncounterScope scope;
  private final EncounterLimits limits;
  private int added;
  private int amended;
  private int removed;

  Recorder(EncounterStore store, EncounterScope scope, EncounterLimits limits) {
    this.store = store;
    this.scope = scope;
    this.limits = limits;
  }

  EncounterRecording record(TimeSeries series, Detection detection, TimeRange range) {
    Map<String, Encounter> kept = kept(withSilence(range, detection.quietNanos()));
    Map<String, Long> begins = new HashMap<>();
    for (Encounter each : kept.values()) {
      String group = GroupKey.ofId(each.id());
      if (group != null && each.start().isBefore(range.start())) {
        long start = EncounterOrder.nanos(each.start());
        begins.merge(group, Detector.edge(start, detection.resolutionNanos()), Math::min);
      }
    }
    List<Encounter> found = new Detector(series, detection, range, begins).found();
    apply(kept, found, range.stop());
    return new EncounterRecording(found, added, amended, removed);
  }

  /** The range with the time before it, of which a late point may prove that it was not silent. */
  private static TimeRange withSilence(TimeRange range, long quiet) {
    long start = EncounterOrder.nanos(range.start());
    long least = EncounterOrder.nanos(EncounterOrder.EARLIEST);
    return start - least < 0 || start - least > quiet
        ? new TimeRange(EncounterOrder.instant(start - quiet), range.stop())
        : range;
  }

  /** Those of detections that have a moment in common with the range, by their ids. */
  private Map<String, Encounter> kept(TimeRange range) {
    Map<String, Encounter> kept = new LinkedHashMap<>();
    EncounterPage page = null;
    do {
      page = store.between(scope, range, page == null ? null : page.next(), Encounters.MOST);
      for (Encounter each : page.encounters()) {
        if (GroupKey.ofId(each.id()) != null) {
          kept.put(each.id(), each);
        }
      }
      if (kept.size() > MOST_KEPT) {
        throw new RefusedQueryException(
            "More than %,d encounters of kind %s are kept in %s; record shorter ranges."
                .formatted(MOST_KEPT, scope, range));
      }
    } while (page.more());
    return kept;
  }

  private void apply(Map<String, Encounter> kept, List<Encounter> found, Instant stop) {
    Map<String, Encounter> gone = new LinkedHashMap<>(kept);
    found.forEach(each -> gone.remove(each.id()));
    for (Encounter each : gone.values()) {
      removed += change(each.id(), each, null);
    }
    for (Encounter each : found) {
      Encounter before = kept.get(each.id());
      if (before == null) {
        added += change(each.id(), null, each);
      } else if (!before.equals(each) && !(each.open() && endsLater(before, stop))) {
        amended += change(each.id(), before, each);
      }
    }
  }

  /** Whether its end was found by a run that reached further than this one. */
  private static boolean endsLater(Encounter kept, Instant stop) {
    Instant end = kept.end();
    return end != null && end.isAfter(stop);
  }

  private int change(String id, @Nullable Encounter from, @Nullable Encounter to) {
    EncounterChange change =
        store.change(scope, id, limits, before -> Objects.equals(before, from) ? to : before);
    return Objects.equals(change.before(), from) ? 1 : 0;
  }
}
