package dev.aquifer.cache;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The poisons that stand in one partition, as this process knows them: its own, from before Redis
 * is told, and all others', from the moment their event is applied. Used under the partition's
 * lock; {@link #overdue} needs none.
 */
final class Poisons {
  private final Map<String, Poison> standing = new HashMap<>();
  private volatile boolean any;
  private volatile long due;

  /**
   * @param cells held here, so that whoever asks for a poisoned name meets the same cell
   * @param due when it should have been lifted, in nanoseconds
   * @param own whether it is a write of this process, which will lift it
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Poison(TagCell[] cells, long due, boolean own) {}

  void add(String token, TagCell[] cells, long until, boolean own) {
    if (standing.containsKey(token)) {
      return;
    }
    standing.put(token, new Poison(cells, until, own));
    for (TagCell cell : cells) {
      cell.poison(1);
    }
    measure();
  }

  void lift(String token) {
    Poison lifted = standing.remove(token);
    if (lifted != null) {
      for (TagCell cell : lifted.cells()) {
        cell.poison(-1);
      }
      measure();
    }
  }

  /** Redis has these, and no others but what this process may not have told it yet. */
  void adopt(Map<String, Notice> told, Function<Notice, TagCell[]> cells, long now) {
    for (String token : Set.copyOf(standing.keySet())) {
      Poison known = standing.get(token);
      if (known != null && !known.own() && !told.containsKey(token)) {
        lift(token);
      }
    }
    told.forEach(
        (token, notice) -> add(token, cells.apply(notice), now + nanos(notice.millis()), false));
  }

  /** Whether one should have ended by now, and Redis is to be asked. */
  boolean overdue(long now) {
    return any && now - due >= 0;
  }

  static long nanos(long millis) {
    return java.util.concurrent.TimeUnit.MILLISECONDS.toNanos(millis);
  }

  private void measure() {
    boolean first = true;
    long earliest = 0;
    for (Poison poison : standing.values()) {
      if (first || poison.due() - earliest < 0) {
        earliest = poison.due();
        first = false;
      }
    }
    due = earliest;
    any = !first;
  }
}
