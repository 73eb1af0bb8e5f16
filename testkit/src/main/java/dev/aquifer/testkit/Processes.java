package dev.aquifer.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Signals that the JDK cannot send, and whole families of processes. */
final class Processes {
  private static final Duration SIGNAL_LIMIT = Duration.ofSeconds(10);

  private Processes() {}

  /** Sends a signal to processes; those that are gone already are fine. */
  static void signal(String name, Iterable<ProcessHandle> processes) {
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", "-c", "kill -" + name + " \"$@\"", "kill"));
    for (ProcessHandle process : processes) {
      command.add(Long.toString(process.pid()));
    }
    if (command.size() == 4) {
      return;
    }
    try {
      Process kill =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!kill.waitFor(SIGNAL_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        kill.destroyForcibly();
        throw new TestkitException("signal " + name + " was not sent within " + SIGNAL_LIMIT);
      }
    } catch (IOException e) {
      throw new TestkitException("cannot send signal " + name, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestkitException("interrupted while sending signal " + name, e);
    }
  }

  /**
   * Stops a process and its children. The parent first, so that it cannot start another child; then
   * children until no new one shows up.
   */
  static Set<ProcessHandle> stopTree(ProcessHandle parent) {
    Set<ProcessHandle> stopped = new LinkedHashSet<>();
    stopped.add(parent);
    signal("STOP", stopped);
    while (true) {
      List<ProcessHandle> found =
          parent.children().filter(child -> !stopped.contains(child)).toList();
      if (found.isEmpty()) {
        return stopped;
      }
      signal("STOP", found);
      stopped.addAll(found);
    }
  }

  /**
   * Kills a process and its children, as far as possible in one instant: all are stopped first, so
   * that no child sees its parent dead and does something about it. A stopped process dies from
   * SIGKILL without being continued.
   */
  static void killTree(ProcessHandle parent) {
    Set<ProcessHandle> family = stopTree(parent);
    signal("KILL", family);
    try {
      Eventually.within(SIGNAL_LIMIT)
          .every(Duration.ofMillis(1))
          .until("killed processes gone", () -> family.stream().allMatch(Processes::isGone));
    } catch (AssertionError e) {
      throw new TestkitException(
          "process "
              + parent.pid()
              + " and its children did not all end within "
              + SIGNAL_LIMIT
              + " of SIGKILL",
          e);
    }
  }

  /**
   * Whether a process has ended. One that ended and that nobody has collected yet still has a
   * number but nothing else; in containers whose first process collects none it stays that way.
   */
  static boolean isGone(ProcessHandle process) {
    return !process.isAlive() || state(process) == 'Z';
  }

  /** Whether a process is stopped by a signal. */
  static boolean isStopped(ProcessHandle process) {
    return state(process) == 'T';
  }

  private static char state(ProcessHandle process) {
    String pid = Long.toString(process.pid());
    Path stat = Path.of("/proc", pid, "stat");
    try {
      if (Files.exists(Path.of("/proc/self/stat"))) {
        String line = Files.readString(stat, StandardCharsets.ISO_8859_1);
        return line.charAt(line.lastIndexOf(')') + 2);
      }
      Process ps = new ProcessBuilder("ps", "-o", "state=", "-p", pid).start();
      String line = new String(ps.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      return line.isBlank() ? 'Z' : line.strip().charAt(0);
    } catch (IOException e) {
      return 'Z';
    }
  }
}
