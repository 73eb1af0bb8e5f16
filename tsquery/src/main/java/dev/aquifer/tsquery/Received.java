package dev.aquifer.tsquery;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Segments of other nodes, which memory took over too. Memory may have let go of them for want of
 * room, or because they are void: they are not looked at once anything was.
 *
 * @param epoch of before they were read
 */
record Received(long epoch, Map<Long, Segment> segments) {
  static final Received NOTHING = new Received(0, Map.of());

  /** With what was read later. */
  Received and(Received later) {
    if (segments.isEmpty()) {
      return later;
    }
    Map<Long, Segment> all = new HashMap<>(segments);
    all.putAll(later.segments);
    return new Received(epoch, all);
  }

  /** How many series they have. */
  int series() {
    Set<Group> groups = new HashSet<>();
    segments.values().forEach(segment -> groups.addAll(segment.series().keySet()));
    return groups.size();
  }
}
