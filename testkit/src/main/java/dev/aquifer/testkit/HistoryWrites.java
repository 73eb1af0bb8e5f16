package dev.aquifer.testkit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The writes of one item, searchable by when they were acknowledged and when others were told. */
final class HistoryWrites {
  private final List<List<Write>> byNode = new ArrayList<>();
  private final List<Write> all = new ArrayList<>();
  private final List<Write> told = new ArrayList<>();
  private final List<Write> versions = new ArrayList<>();

  HistoryWrites(int nodes) {
    for (int i = 0; i < nodes; i++) {
      byNode.add(new ArrayList<>());
    }
  }

  /** One write, where its log has it. */
  record Write(HistoryLog log, int at) {
    long version() {
      return log.version(at);
    }

    long begun() {
      return log.begun(at);
    }

    long ended() {
      return log.ended(at);
    }

    long told() {
      return log.told(at);
    }
  }

  void add(HistoryLog log, int at) {
    Write write = new Write(log, at);
    versions.add(write);
    if (log.kind(at) == HistoryLog.UNSURE) {
      return;
    }
    byNode.get(log.nodeIndex).add(write);
    all.add(write);
    if (write.told() != HistoryLog.NEVER) {
      told.add(write);
    }
  }

  /** Keeps, of each order, only those that raise the highest version so far. */
  void order() {
    byNode.forEach(writes -> rising(writes, Write::ended));
    rising(all, Write::ended);
    rising(told, Write::told);
    versions.sort(Comparator.comparingLong(Write::version));
  }

  private static void rising(List<Write> writes, ToLongFunction<Write> time) {
    writes.sort(Comparator.comparingLong(time));
    long highest = Long.MIN_VALUE;
    List<Write> kept = new ArrayList<>();
    for (Write write : writes) {
      if (write.version() > highest) {
        highest = write.version();
        kept.add(write);
      }
    }
    writes.clear();
    writes.addAll(kept);
  }

  /** The first acknowledged on the node before that time with a version above this one. */
  @Nullable Write missed(int node, long version, long before) {
    Write found = above(byNode.get(node), version);
    return found != null && found.ended() < before ? found : null;
  }

  @Nullable Write missedAnywhere(long version, long before) {
    Write found = above(all, version);
    return found != null && found.ended() < before ? found : null;
  }

  @Nullable Write missedThoughTold(long version, long before) {
    Write found = above(told, version);
    return found != null && found.told() < before ? found : null;
  }

  /** The first, in an order in which versions rise. */
  private static @Nullable Write above(List<Write> rising, long version) {
    int low = 0;
    int high = rising.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (rising.get(middle).version() > version) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low == rising.size() ? null : rising.get(low);
  }

  /** The newest version that a reader who found nothing by then may have seen. */
  long absentUpTo(long until) {
    long upTo = Long.MAX_VALUE;
    for (int i = versions.size() - 1; i >= 0; i--) {
      Write write = versions.get(i);
      if (write.begun() > until) {
        continue;
      }
      if (write.log().kind(write.at()) != HistoryLog.WRITE) {
        return upTo;
      }
      upTo = write.version() - 1;
    }
    return upTo;
  }
}
