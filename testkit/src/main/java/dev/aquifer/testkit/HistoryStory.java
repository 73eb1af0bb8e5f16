package dev.aquifer.testkit;

import dev.aquifer.testkit.HistoryChecker.Item;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A read that should not have been, and what went on around it. */
record HistoryStory(
    String rule, HistoryLog log, int at, HistoryWrites.@Nullable Write missed, long nanos) {
  static final Comparator<HistoryStory> IN_ORDER = Comparator.comparingLong(HistoryStory::endedAt);

  private static final int LINES = 24;
  private static final long BEFORE = TimeUnit.MILLISECONDS.toNanos(20);

  private record Line(long begun, long ended, String text, boolean marked) {}

  long endedAt() {
    return log.ended(at);
  }

  /** The read, what it missed, and all that happened to the same items meanwhile. */
  String tell(List<HistoryLog> logs, List<HistoryNote> notes) {
    HistoryWrites.Write write = missed;
    long zero = write == null ? log.begun(at) : write.begun();
    StringBuilder text = new StringBuilder();
    text.append(log.text(at)).append(": ").append(rule);
    if (write != null) {
      text.append(" (")
          .append(millis(nanos))
          .append(" late): ")
          .append(write.log().text(write.at()))
          .append(" was acknowledged before");
    }
    List<Line> lines = around(logs, notes, zero);
    int from = Math.max(0, lines.size() - LINES);
    for (Line line : lines.subList(from, lines.size())) {
      text.append("\n    ")
          .append(line.marked() ? "> " : "  ")
          .append(String.format(Locale.ROOT, "%+11.3f", (line.begun() - zero) / 1e6))
          .append(" ms ")
          .append(line.text());
      if (line.ended() > line.begun()) {
        text.append("  [").append(millis(line.ended() - line.begun())).append(']');
      }
    }
    return text.toString();
  }

  private List<Line> around(List<HistoryLog> logs, List<HistoryNote> notes, long zero) {
    List<Item> about = log.item(at).judgedBy;
    long until = log.ended(at);
    List<Line> lines = new ArrayList<>();
    for (HistoryLog other : logs) {
      for (int i = 0; i < other.operations(); i++) {
        boolean same =
            other.item(i) == log.item(at) || (other.isWrite(i) && about.contains(other.item(i)));
        boolean mine = other == log && i == at;
        boolean meant = missed != null && other == missed.log() && i == missed.at();
        if (mine || meant || (same && other.ended(i) > zero - BEFORE && other.begun(i) <= until)) {
          lines.add(new Line(other.begun(i), other.ended(i), other.text(i), mine || meant));
        }
      }
    }
    for (HistoryNote note : notes) {
      if (note.at() > zero - 50 * BEFORE && note.at() <= until) {
        lines.add(new Line(note.at(), note.at(), "-- " + note.what(), false));
      }
    }
    lines.sort(Comparator.comparingLong(Line::begun));
    return shortened(lines);
  }

  /** Where there are many lines, those of reads between go first. */
  private static List<Line> shortened(List<Line> lines) {
    if (lines.size() <= LINES) {
      return lines;
    }
    List<Line> kept = new ArrayList<>();
    int left = LINES / 2;
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      boolean end = i >= lines.size() - LINES / 2;
      if (line.marked() || end || left-- > 0) {
        kept.add(line);
      }
    }
    return kept;
  }

  private static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.3f ms", nanos / 1e6);
  }
}
