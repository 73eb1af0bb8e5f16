package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import dev.aquifer.sql.Frame.Opener;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The open parentheses of one statement and the common tables that each makes visible. Frames are
 * used again.
 */
final class FrameStack {
  /** PostgreSQL's own parser gives up at this depth. */
  static final int MAX_DEPTH = 10_000;

  private final List<Frame> frames = new ArrayList<>();
  private int depth;
  private final List<String> commonTables = new ArrayList<>();
  private final Map<String, Integer> visible = new HashMap<>();

  Frame push(Opener opener, Clause clause, int first) {
    if (depth == frames.size()) {
      frames.add(new Frame());
    }
    Frame frame = frames.get(depth++);
    frame.reset(opener, clause, first, commonTables.size());
    return frame;
  }

  /** Closes the innermost and with it the view of its common tables; answers the one around it. */
  Frame pop() {
    Frame closed = frames.get(--depth);
    while (commonTables.size() > closed.visible) {
      String name = commonTables.remove(commonTables.size() - 1);
      visible.computeIfPresent(name, (key, count) -> count == 1 ? null : count - 1);
    }
    return frames.get(depth - 1);
  }

  int depth() {
    return depth;
  }

  void define(String commonTable) {
    commonTables.add(commonTable);
    visible.merge(commonTable, 1, Integer::sum);
  }

  boolean isCommonTable(TableName table) {
    return table.schema() == null && !visible.isEmpty() && visible.containsKey(table.name());
  }
}
