package dev.aquifer.replica;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What callers wrote to and read from a table while nodes failed, and whether that may have been.
 *
 * <p>Each write inserts a row with an identifier of its own; identifiers rise. A key is written by
 * one caller only, so that its rows come in the order of their identifiers, and a read of the
 * highest identifier of a key tells which writes it shows. A caller is a thread with a causal
 * session of its own.
 */
final class RowHistory {
  /** What the caller was told of its write. */
  enum Outcome {
    /** It is there. */
    DONE,
    /** It is not there, and will not be. */
    FAILED,
    /** Nobody knows. */
    UNKNOWN
  }

  /** A write of the row {@code id}, or a read that found it to be the newest, 0 for none. */
  record Operation(
      boolean write, int key, long id, long begun, long ended, Outcome outcome, String where) {}

  private final List<Caller> callers = new CopyOnWriteArrayList<>();
  private final List<String> notes = new CopyOnWriteArrayList<>();

  /** One caller's operations, in their order; for one thread. */
  static final class Caller {
    private final int number;
    private final List<Operation> operations = new ArrayList<>();

    private Caller(int number) {
      this.number = number;
    }

    void wrote(int key, long id, long begun, long ended, Outcome outcome) {
      operations.add(new Operation(true, key, id, begun, ended, outcome, ""));
    }

    void read(int key, long id, long begun, long ended, String where) {
      operations.add(new Operation(false, key, id, begun, ended, Outcome.DONE, where));
    }
  }

  Caller caller() {
    Caller caller = new Caller(callers.size());
    callers.add(caller);
    return caller;
  }

  /** Something that happened beside: a fault. */
  void note(String what) {
    notes.add(what);
  }

  List<Operation> writes() {
    return callers.stream()
        .flatMap(caller -> caller.operations.stream())
        .filter(Operation::write)
        .toList();
  }

  long reads() {
    return callers.stream()
        .flatMap(caller -> caller.operations.stream())
        .filter(operation -> !operation.write())
        .count();
  }

  /**
   * Everything that must not have been; empty when all is well. The callers have ended.
   *
   * @param rows the identifiers of all rows that there are in the end, as often as they are there
   */
  List<String> problems(Collection<Long> rows) {
    List<String> problems = new ArrayList<>();
    Map<Long, Operation> written = new HashMap<>();
    for (Operation write : writes()) {
      written.put(write.id(), write);
    }
    for (Caller caller : callers) {
      judge(caller, written, problems);
    }
    Map<Long, Integer> counts = new HashMap<>();
    rows.forEach(id -> counts.merge(id, 1, Integer::sum));
    for (Operation write : written.values()) {
      int count = counts.getOrDefault(write.id(), 0);
      if (count > 1) {
        problems.add("executed %d times: %s".formatted(count, write));
      }
      if (count == 0 && write.outcome() == Outcome.DONE) {
        problems.add("lost: " + write);
      }
      if (count > 0 && write.outcome() == Outcome.FAILED) {
        problems.add("executed, though its caller was told that it was not: " + write);
      }
    }
    counts.keySet().stream()
        .filter(id -> !written.containsKey(id))
        .forEach(id -> problems.add("a row that nobody wrote: " + id));
    if (!problems.isEmpty()) {
      problems.add("faults: " + notes);
    }
    return problems;
  }

  private static void judge(Caller caller, Map<Long, Operation> written, List<String> problems) {
    Map<Integer, Operation> own = new HashMap<>();
    Map<Integer, Operation> seen = new HashMap<>();
    for (Operation operation : caller.operations) {
      int key = operation.key();
      if (operation.write()) {
        if (operation.outcome() == Outcome.DONE) {
          own.put(key, operation);
        }
        continue;
      }
      Operation wrote = own.get(key);
      if (wrote != null && operation.id() < wrote.id()) {
        problems.add(
            "caller %d misses its own write: %s after %s"
                .formatted(caller.number, operation, wrote));
      }
      Operation before = seen.get(key);
      if (before != null && operation.id() < before.id()) {
        problems.add(
            "caller %d reads backwards: %s after %s".formatted(caller.number, operation, before));
      } else {
        seen.put(key, operation);
      }
      if (operation.id() != 0) {
        source(operation, written.get(operation.id()), problems);
      }
    }
  }

  private static void source(Operation read, Operation write, List<String> problems) {
    if (write == null || write.key() != read.key()) {
      problems.add("reads what nobody wrote there: " + read);
    } else if (write.begun() - read.ended() > 0) {
      problems.add("reads what was written later: %s of %s".formatted(read, write));
    } else if (write.outcome() == Outcome.FAILED) {
      problems.add("reads what was not written: %s of %s".formatted(read, write));
    }
  }
}
