package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A plain look at some keys in Redis that answers those whose entries are current, and leaves all
 * else to flights: what is missing, void, damaged or past its time.
 *
 * <p>What it keeps in memory is judged as what a flight keeps: the cells of its keys are taken, and
 * then the tick, before Redis is asked. So a void that is heard at any moment after that is either
 * in the cells' sequences when the entry is judged, or later than the entry's tick (race R2). With
 * no memory to keep anything in, cells of keys are not needed: a key's void deletes its entry, so
 * one that Redis had was not void by its key when Redis was asked.
 */
final class Glance {
  private final Node node;
  private final BulkKeys keys;
  private final int[] positions;
  private final String[] texts;
  private final byte[][] stored;
  private final TagCell @Nullable [] cells;
  private final Judge judge;
  private final Remote.Look look;
  private boolean told;

  private Glance(
      Node node,
      BulkKeys keys,
      int[] positions,
      String[] texts,
      byte[][] stored,
      TagCell @Nullable [] cells,
      Judge judge,
      Remote.Look look) {
    this.node = node;
    this.keys = keys;
    this.positions = positions;
    this.texts = texts;
    this.stored = stored;
    this.cells = cells;
    this.judge = judge;
    this.look = look;
  }

  /**
   * Asks for keys of one view.
   *
   * @param positions of the keys
   * @return null where flights are to be begun at once
   */
  static @Nullable Glance at(Node node, BulkKeys keys, CausalSession session, int... positions) {
    TenantView view = keys.place(positions[0]).view;
    Remote remote = node.remote();
    if (remote == null || !remote.readable(view.partition)) {
      return null;
    }
    int count = positions.length;
    String[] texts = new String[count];
    byte[][] stored = new byte[count][];
    TagCell[] cells = node.remembers() ? new TagCell[count] : null;
    for (int i = 0; i < count; i++) {
      String text = KeyText.of(keys.key(positions[i]));
      if (text.length() > view.cache.settings.maxKeyChars()) {
        return null;
      }
      texts[i] = text;
      stored[i] = StoredKeys.entry(view, text);
      if (cells != null && node.guards.earlyCells) {
        cells[i] = view.partition.cell(KeyText.keyName(view.cache.name, text));
      }
    }
    Judge judge = new Judge(node, view, session, node.ticks.get());
    Remote.Look look = remote.look(view, session, stored);
    return look == null
        ? null
        : new Glance(node, keys, positions, texts, stored, cells, judge, look);
  }

  /** Waits for the answer and takes it; false: there is none in time. */
  boolean await() throws InterruptedException {
    boolean inTime = look.await();
    if (inTime) {
      take();
    }
    return inTime;
  }

  /** As {@link #await}, with nobody waiting. */
  void then(BiConsumer<Boolean, @Nullable Throwable> next) {
    look.then(
        inTime -> {
          Throwable error = null;
          try {
            if (inTime) {
              take();
            }
          } catch (Throwable e) {
            error = e;
          }
          next.accept(inTime, error);
        });
  }

  /** Where the keys that were asked for are. */
  int[] positions() {
    return positions;
  }

  /** Whether the answer told what is current. */
  boolean told() {
    return told;
  }

  private void take() {
    if (!look.current()) {
      return;
    }
    judge.answered(look.incarnation(), look.sequence());
    for (int i = 0; i < texts.length; i++) {
      byte[] entry = look.entry(i);
      if (entry != null) {
        take(i, entry);
      }
    }
    told = true;
  }

  private void take(int i, byte[] entry) {
    MemoryKey place = keys.place(positions[i]);
    switch (judge.judge(stored[i], entry, -1, cell(i))) {
      case REFUSED -> keys.refuse(positions[i], entry);
      case UNDATED -> {
        // It answers now, where it cannot be past its time.
        if (!judge.outlivesItsTime()) {
          keys.answer(positions[i], judge.value());
        }
      }
      case DATED -> {
        if (!judge.fresh()) {
          node.flights.stale.keep(place, judge.entry(texts[i]));
          return;
        }
        if (cells != null) {
          node.remember(place, judge.entry(texts[i]));
        }
        keys.answer(positions[i], judge.value());
      }
    }
  }

  private @Nullable TagCell cell(int i) {
    if (cells == null || node.guards.earlyCells) {
      return cells == null ? null : cells[i];
    }
    TenantView view = keys.place(positions[i]).view;
    return view.partition.cell(KeyText.keyName(view.cache.name, texts[i]));
  }
}
