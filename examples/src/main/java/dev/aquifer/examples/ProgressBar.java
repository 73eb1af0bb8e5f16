package dev.aquifer.examples;

import java.io.PrintStream;

/** A bar on one line of a terminal; elsewhere a line when it is full. */
final class ProgressBar {
  private static final int WIDTH = 30;

  private final PrintStream out;
  private final String what;
  private final long total;
  private final boolean terminal;
  private int drawn = -1;

  ProgressBar(PrintStream out, String what, long total) {
    this.out = out;
    this.what = what;
    this.total = total;
    // A console's standard output is no pipe and no file.
    this.terminal = out == System.out && System.getenv("TERM") != null && hasConsole();
  }

  void at(long done) {
    int filled = (int) (WIDTH * done / Math.max(1, total));
    if (filled == drawn || (!terminal && done < total)) {
      return;
    }
    drawn = filled;
    out.printf(
        "%s  [%s%s] %,d of %,d %s%s",
        terminal ? "\r" : "",
        "█".repeat(filled),
        "·".repeat(WIDTH - filled),
        done,
        total,
        what,
        done == total ? "%n".formatted() : "");
    out.flush();
  }

  @SuppressWarnings(
      "SystemConsoleNull") // From JDK 22 on there is one without a terminal; a line too many is
  // then drawn.
  private static boolean hasConsole() {
    return System.console() != null;
  }
}
