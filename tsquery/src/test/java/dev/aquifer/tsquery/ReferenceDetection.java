package dev.aquifer.tsquery;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Encounters found by going over the points of each device, window by window, with none left out.
 *
 * @param quiet zero: none
 */
record ReferenceDetection(
    Duration resolution, Duration quiet, Predicate<Reading> starts, Predicate<Reading> stops) {
  /** A point of device and ward, with a value and perhaps a number. */
  record Reading(String tenant, Instant time, String device, String ward, double value, Long seq) {}

  List<Encounter> over(List<Reading> readings, String tenant, Instant from, Instant to) {
    Map<String, Map<Long, List<Reading>>> windows = new TreeMap<>();
    long length = resolution.toNanos();
    long first = Math.floorDiv(Nanos.of(from), length);
    long end = Math.floorDiv(Nanos.of(to), length);
    for (Reading each : readings) {
      long window = Math.floorDiv(Nanos.of(each.time), length);
      if (each.tenant.equals(tenant) && window >= first && window < end) {
        windows
            .computeIfAbsent(each.device, key -> new TreeMap<>())
            .computeIfAbsent(window, key -> new ArrayList<>())
            .add(each);
      }
    }
    List<Encounter> found = new ArrayList<>();
    windows.forEach((device, own) -> found.addAll(of(device, own, first, end)));
    found.sort(Comparator.comparing(Encounter::start).thenComparing(Encounter::id));
    return found;
  }

  private List<Encounter> of(
      String device, Map<Long, List<Reading>> windows, long first, long end) {
    List<Encounter> found = new ArrayList<>();
    long length = resolution.toNanos();
    Long start = null;
    long active = 0;
    for (long window = first; window < end; window++) {
      List<Reading> points = windows.getOrDefault(window, List.of());
      if (start == null && points.stream().anyMatch(starts)) {
        start = window;
      }
      if (start == null) {
        continue;
      }
      if (!points.isEmpty()) {
        active = window;
      }
      if (points.stream().anyMatch(stops)) {
        found.add(encounter(device, start, window + 1));
        start = null;
      } else if (!quiet.isZero() && (window - active) * length >= quiet.toNanos()) {
        found.add(encounter(device, start, active + 1));
        start = null;
      }
    }
    if (start != null) {
      found.add(encounter(device, start, null));
    }
    return found;
  }

  private Encounter encounter(String device, long start, Long end) {
    long length = resolution.toNanos();
    Instant begin = Nanos.instant(start * length);
    return new Encounter(
        device + "@" + begin, begin, end == null ? null : Nanos.instant(end * length));
  }
}
