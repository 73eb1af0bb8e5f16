package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Encounters in memory, under one lock. */
final class MemoryEncounters implements EncounterStore {
  private static final class Kept {
    final Map<String, Encounter> byId = new HashMap<>();
    final TreeSet<Encounter> byStart = new TreeSet<>(EncounterOrder.BY_START);
    long open;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<EncounterScope, Kept> scopes = new HashMap<>();

  @Override
  public EncounterChange change(
      EncounterScope scope, String id, EncounterLimits limits, Decision decision) {
    lock.lock();
    try {
      Kept kept = scopes.computeIfAbsent(scope, key -> new Kept());
      Encounter before = kept.byId.get(id);
      Encounter after = decision.after(before);
      EncounterChange change = new EncounterChange(before, after);
      EncounterOrder.requireRoom(scope, limits, change, kept.byId.size(), kept.open);
      if (before != null) {
        kept.byStart.remove(before);
        kept.byId.remove(id);
      }
      if (after != null) {
        kept.byStart.add(after);
        kept.byId.put(id, after);
      }
      kept.open += EncounterOrder.opened(change);
      return change;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Encounter> find(EncounterScope scope, String id) {
    lock.lock();
    try {
      Kept kept = scopes.get(scope);
      return kept == null ? Optional.empty() : Optional.ofNullable(kept.byId.get(id));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public EncounterPage between(
      EncounterScope scope, TimeRange range, @Nullable Encounter after, int most) {
    lock.lock();
    try {
      Kept kept = scopes.get(scope);
      if (kept == null) {
        return new EncounterPage(List.of(), false);
      }
      List<Encounter> found =
          (after == null ? kept.byStart : kept.byStart.tailSet(after, false))
              .stream()
                  .filter(each -> EncounterOrder.overlaps(each, range))
                  .limit(most + 1L)
                  .toList();
      return EncounterPage.of(found, most);
    } finally {
      lock.unlock();
    }
  }
}
