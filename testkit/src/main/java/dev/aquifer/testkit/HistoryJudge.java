package dev.aquifer.testkit;

import dev.aquifer.testkit.HistoryChecker.Item;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Judges a history. Writes are put in order of their acknowledgement for each item and node, with
 * the highest version so far, so that a read is judged by a search in each of these.
 */
final class HistoryJudge {
  private static final int KEPT = 10;

  private final List<HistoryLog> logs;
  private final List<HistoryNote> notes;
  private final int nodes;
  private final long bound;
  private final Map<Item, HistoryWrites> writes = new HashMap<>();
  private final List<HistoryStory> stories = new ArrayList<>();
  private final Tally ownNode = new Tally("misses a write of its own node");
  private final Tally token = new Tally("misses a write that its session's token speaks of");
  private final Tally elsewhere =
      new Tally("misses a write of another node for longer than the bound");
  private long reads;
  private long written;
  private long failed;
  private long foreign;
  private long backwards;
  private long longestUntold;
  private long firstStale = -1;

  HistoryJudge(List<HistoryLog> logs, List<HistoryNote> notes, int nodes, Duration bound) {
    this.logs = logs;
    this.notes = notes;
    this.nodes = nodes;
    this.bound = bound.toNanos();
  }

  /** The stale reads of one kind. */
  private static final class Tally {
    final String rule;
    long count;
    long longest;

    Tally(String rule) {
      this.rule = rule;
    }

    void took(long nanos) {
      longest = Math.max(longest, nanos);
    }
  }

  HistoryVerdict judge() {
    for (HistoryLog log : logs) {
      for (int i = 0; i < log.operations(); i++) {
        if (log.isWrite(i)) {
          written++;
          writes.computeIfAbsent(log.item(i), item -> new HistoryWrites(nodes)).add(log, i);
        }
      }
    }
    writes.values().forEach(HistoryWrites::order);
    for (HistoryLog log : logs) {
      Map<Item, Long> seen = new HashMap<>();
      for (int i = 0; i < log.operations(); i++) {
        if (log.isRead(i)) {
          reads++;
          judge(log, i, seen);
        } else if (log.kind(i) == HistoryLog.FAILED) {
          failed++;
        } else if (log.kind(i) == HistoryLog.FOREIGN) {
          foreign++;
          keep(new HistoryStory("a value of something else", log, i, null, 0));
        }
      }
    }
    return verdict();
  }

  private void judge(HistoryLog log, int at, Map<Item, Long> seen) {
    Item item = log.item(at);
    long version = log.version(at);
    if (log.kind(at) == HistoryLog.ABSENT) {
      HistoryWrites own = writes.get(item);
      version = own == null ? Long.MAX_VALUE : own.absentUpTo(log.ended(at));
    } else {
      long before = seen.merge(item, version, Math::max);
      if (before > version) {
        backwards++;
      }
    }
    for (Item dependency : item.judgedBy) {
      HistoryWrites all = writes.get(dependency);
      if (all != null && judge(log, at, all, version)) {
        return;
      }
    }
  }

  /** Whether it was stale. */
  private boolean judge(HistoryLog log, int at, HistoryWrites all, long version) {
    long begun = log.begun(at);
    for (int node = 0; node < nodes; node++) {
      boolean own = node == log.nodeIndex;
      long before = own ? begun : log.demand(at, node);
      HistoryWrites.Write missed = all.missed(node, version, before);
      if (missed != null) {
        stale(own ? ownNode : token, log, at, missed, begun - missed.ended());
        return true;
      }
    }
    HistoryWrites.Write untold = all.missedAnywhere(version, begun);
    if (untold != null) {
      longestUntold = Math.max(longestUntold, begun - untold.ended());
    }
    HistoryWrites.Write late = all.missedThoughTold(version, begun);
    if (late == null) {
      return false;
    }
    long age = begun - late.told();
    elsewhere.took(age);
    if (age <= bound) {
      return false;
    }
    stale(elsewhere, log, at, late, age);
    return true;
  }

  private void stale(Tally kind, HistoryLog log, int at, HistoryWrites.Write missed, long nanos) {
    kind.count++;
    kind.took(nanos);
    keep(new HistoryStory(kind.rule, log, at, missed, nanos));
  }

  private void keep(HistoryStory story) {
    stories.add(story);
    if (stories.size() > 100 * KEPT) {
      stories.sort(HistoryStory.IN_ORDER);
      stories.subList(KEPT, stories.size()).clear();
    }
  }

  private HistoryVerdict verdict() {
    stories.sort(HistoryStory.IN_ORDER);
    long operations = 0;
    long first = stories.isEmpty() ? Long.MAX_VALUE : stories.get(0).endedAt();
    long before = 0;
    for (HistoryLog log : logs) {
      operations += log.operations();
      for (int i = 0; i < log.operations(); i++) {
        before += log.ended(i) < first ? 1 : 0;
      }
    }
    if (!stories.isEmpty()) {
      firstStale = before + 1;
    }
    List<String> told = new ArrayList<>();
    for (HistoryStory story : stories.subList(0, Math.min(KEPT, stories.size()))) {
      told.add(story.tell(logs, notes));
    }
    return new HistoryVerdict(
        operations,
        reads,
        written,
        failed,
        ownNode.count,
        token.count,
        elsewhere.count,
        foreign,
        backwards,
        firstStale,
        Duration.ofNanos(Math.max(elsewhere.longest, Math.max(ownNode.longest, token.longest))),
        Duration.ofNanos(elsewhere.longest),
        Duration.ofNanos(longestUntold),
        List.copyOf(told));
  }
}
