package dev.aquifer.testkit;

import dev.aquifer.testkit.HistoryChecker.Item;
import java.util.Arrays;
import java.util.List;

/** The operations of one session, in order, as columns. */
final class HistoryLog {
  static final byte READ = 0;
  static final byte ABSENT = 1;
  static final byte FOREIGN = 2;
  static final byte FAILED = 3;
  static final byte WRITE = 4;
  static final byte REMOVE = 5;
  static final byte UNSURE = 6;

  /** When nobody was told. */
  static final long NEVER = Long.MAX_VALUE;

  private static final String[] VERBS = {
    "reads", "reads", "reads", "fails on", "writes", "removes", "fails to void"
  };

  final int session;
  final String node;
  final int nodeIndex;
  private byte[] kinds = new byte[32];
  private Item[] items = new Item[32];
  private long[] versions = new long[32];
  private long[] begun = new long[32];
  private long[] ended = new long[32];

  // Of writes when others were told, of reads nothing.
  private long[] told = new long[32];
  private Object[] demands = new Object[32];
  private volatile int size;

  HistoryLog(int session, String node, int nodeIndex) {
    this.session = session;
    this.node = node;
    this.nodeIndex = nodeIndex;
  }

  // One thread's, as the session is; volatile for those that count meanwhile.
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void add(byte kind, Item item, long version, long from, long to, List<Long> demand) {
    int at = size;
    if (at == kinds.length) {
      grow(at * 2);
    }
    kinds[at] = kind;
    items[at] = item;
    versions[at] = version;
    begun[at] = from;
    ended[at] = to;
    told[at] = NEVER;
    demands[at] = demand;
    size = at + 1;
  }

  private void grow(int length) {
    kinds = Arrays.copyOf(kinds, length);
    items = Arrays.copyOf(items, length);
    versions = Arrays.copyOf(versions, length);
    begun = Arrays.copyOf(begun, length);
    ended = Arrays.copyOf(ended, length);
    told = Arrays.copyOf(told, length);
    demands = Arrays.copyOf(demands, length);
  }

  /**
   * Others were told of the writes from {@code first} on. Returns the first that is still untold.
   */
  int told(int first, long before, long at) {
    int next = first;
    while (next < size && ended[next] <= before) {
      told[next++] = at;
    }
    return next;
  }

  int operations() {
    return size;
  }

  byte kind(int at) {
    return kinds[at];
  }

  boolean isWrite(int at) {
    return kinds[at] >= WRITE;
  }

  boolean isRead(int at) {
    return kinds[at] <= ABSENT;
  }

  Item item(int at) {
    return items[at];
  }

  long version(int at) {
    return versions[at];
  }

  long begun(int at) {
    return begun[at];
  }

  long ended(int at) {
    return ended[at];
  }

  long told(int at) {
    return told[at];
  }

  /** Up to when the session must be shown what was acknowledged on that node. */
  long demand(int at, int ofNode) {
    List<?> demand = (List<?>) demands[at];
    return ofNode < demand.size() ? (Long) demand.get(ofNode) : Long.MIN_VALUE;
  }

  /** The operation in words. */
  String text(int at) {
    String verb = VERBS[kinds[at]];
    String outcome =
        switch (kinds[at]) {
          case READ -> " -> " + versions[at];
          case ABSENT -> " -> nothing";
          case FOREIGN -> " -> a value of something else";
          case FAILED -> "";
          default -> " = " + versions[at];
        };
    return "%s, session %d %s %s%s".formatted(node, session, verb, items[at], outcome);
  }
}
