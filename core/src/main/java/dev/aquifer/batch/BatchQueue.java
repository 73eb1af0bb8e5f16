package dev.aquifer.batch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What waits, by priority and within it in order. Guarded by the batcher's lock.
 *
 * <p>Items of one key keep their order, whatever their priorities are: one that comes later waits
 * at no higher priority than the last one of its key, and none is taken while one of its key is
 * being sent. The item that has waited longest is in every batch, so low priorities are not
 * starved.
 */
final class BatchQueue<T> {
  static final int PRIORITIES = 10;

  /** One item, and who waits for it. */
  static final class Item<T> {
    final T value;
    final @Nullable Object key;
    final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    int level;
    long number;
    long since;

    Item(T value, @Nullable Object key, int level) {
      this.value = value;
      this.key = key;
      this.level = level;
    }
  }

  /** The items of one key that wait. */
  private static final class Waiting {
    int count;
    int level;
  }

  private final List<ArrayDeque<Item<T>>> levels = new ArrayList<>();
  private final Map<Object, Waiting> waiting = new HashMap<>();
  private final Set<Object> sending = new HashSet<>();
  private long numbers;
  private int size;
  private int blocked;

  BatchQueue() {
    for (int i = 0; i < PRIORITIES; i++) {
      levels.add(new ArrayDeque<>());
    }
  }

  int size() {
    return size;
  }

  /** How many could go now: their keys are not being sent. */
  int free() {
    return size - blocked;
  }

  /** The number of the last item that was added. */
  long last() {
    return numbers;
  }

  void add(Item<T> item, long now) {
    if (item.key != null) {
      Waiting same = waiting.computeIfAbsent(item.key, key -> new Waiting());
      item.level = same.count == 0 ? item.level : Math.min(item.level, same.level);
      same.level = item.level;
      same.count++;
      blocked += sending.contains(item.key) ? 1 : 0;
    }
    item.number = ++numbers;
    item.since = now;
    levels.get(item.level).addLast(item);
    size++;
  }

  /** Of those that could go now, what has waited longest; null where there is none. */
  @Nullable Item<T> oldest() {
    Item<T> oldest = null;
    for (ArrayDeque<Item<T>> level : levels) {
      for (Item<T> item : level) {
        if (oldest != null && item.number > oldest.number) {
          break;
        }
        if (free(item)) {
          oldest = item;
          break;
        }
      }
    }
    return oldest;
  }

  /** The next batch, empty where all that waits has keys that are being sent. */
  List<Item<T>> take(int most) {
    List<Item<T>> batch = new ArrayList<>(Math.min(most, size));
    Item<T> oldest = oldest();
    if (oldest != null) {
      levels.get(oldest.level).removeFirstOccurrence(oldest);
      batch.add(oldest);
    }
    for (int level = PRIORITIES - 1; level >= 0 && batch.size() < most; level--) {
      Iterator<Item<T>> items = levels.get(level).iterator();
      while (batch.size() < most && items.hasNext()) {
        Item<T> item = items.next();
        if (free(item)) {
          items.remove();
          batch.add(item);
        }
      }
    }
    size -= batch.size();
    batch.forEach(this::taken);
    batch.forEach(item -> busy(item.key));
    return batch;
  }

  private boolean free(Item<T> item) {
    return item.key == null || !sending.contains(item.key);
  }

  private void taken(Item<T> item) {
    if (item.key != null) {
      Waiting same = waiting.get(item.key);
      if (same != null && --same.count == 0) {
        waiting.remove(item.key);
      }
    }
  }

  private void busy(@Nullable Object key) {
    if (key != null && sending.add(key)) {
      Waiting same = waiting.get(key);
      blocked += same == null ? 0 : same.count;
    }
  }

  /** The batch is over: later items of its keys may go. */
  void sent(List<Item<T>> batch) {
    batch.forEach(
        item -> {
          if (item.key != null && sending.remove(item.key)) {
            Waiting same = waiting.get(item.key);
            blocked -= same == null ? 0 : same.count;
          }
        });
  }

  void each(Consumer<Item<T>> visitor) {
    levels.forEach(level -> level.forEach(visitor));
  }

  /** Takes all that waits. */
  List<Item<T>> drain() {
    List<Item<T>> all = new ArrayList<>();
    levels.forEach(
        level -> {
          all.addAll(level);
          level.clear();
        });
    waiting.clear();
    blocked = 0;
    size = 0;
    return all;
  }
}
