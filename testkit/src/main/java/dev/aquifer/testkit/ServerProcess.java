package dev.aquifer.testkit;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * One running server: its process, its children, its log. Not restarted; a server that restarts
 * gets a new one.
 */
final class ServerProcess {
  private static final int LOG_LINES = 20;

  private final String name;
  private final Process process;
  private final Path log;

  private ServerProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
  }

  /** What to start, where, and where its output goes. */
  record Command(
      String name,
      List<String> line,
      Path folder,
      Path log,
      Map<String, String> environment,
      boolean refusesRoot) {}

  static ServerProcess start(Workspace workspace, Command command) {
    List<String> line =
        noted(
            workspace,
            Platform.current().serverCommand(command.line(), command.refusesRoot(), workspace));
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .directory(command.folder().toFile())
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(command.log().toFile()));
    // Settings of the user's own servers must not reach these.
    builder.environment().keySet().removeIf(key -> key.matches("(PG|INFLUX|REDIS).*"));
    builder.environment().putAll(command.environment());
    try {
      Process process = builder.start();
      Path note = workspace.runFolder().resolve("pids").resolve(Long.toString(process.pid()));
      var unused = process.onExit().thenRun(() -> note.toFile().delete());
      return new ServerProcess(command.name(), process, command.log());
    } catch (IOException e) {
      throw new TestkitException(command.name() + " cannot be started", e);
    }
  }

  /** The process writes its id before it turns into the program; see {@link Workspace}. */
  static List<String> noted(Workspace workspace, List<String> command) {
    List<String> line = new ArrayList<>();
    line.addAll(
        List.of(
            "/bin/sh",
            "-c",
            ": > \"$0/$$\" || exit 125; exec \"$@\"",
            workspace.runFolder().resolve("pids").toString()));
    line.addAll(command);
    return line;
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Stops the process and its children where they are (SIGSTOP). */
  void pause() {
    if (isAlive()) {
      Processes.stopTree(process.toHandle());
    }
  }

  /** Lets a stopped process and its children go on (SIGCONT): children first. */
  void resume() {
    if (isAlive()) {
      Processes.signal("CONT", process.toHandle().children().toList());
      Processes.signal("CONT", Set.of(process.toHandle()));
    }
  }

  /** Kills the process and its children (SIGKILL) and returns when all are gone. */
  void kill() {
    if (isAlive()) {
      Processes.killTree(process.toHandle());
      // Dead already; the JDK notices a little later.
      process.onExit().join();
    }
  }

  /** Asks the process to end by a signal; kills it when it has not within {@code limit}. */
  void end(String signal, Duration limit) {
    if (!isAlive()) {
      return;
    }
    Processes.signal(signal, Set.of(process.toHandle()));
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        kill();
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits until {@code ready} holds.
   *
   * @throws TestkitException the process ended, or the limit passed; with the end of the log
   */
  void awaitReady(Duration limit, Callable<Boolean> ready) {
    try {
      Eventually.within(limit)
          .every(Duration.ofMillis(5))
          .until(name + " ready", () -> !isAlive() || ready.call());
    } catch (AssertionError e) {
      throw new TestkitException(
          name + " was not ready within " + limit + "; its log:\n" + tail(), e);
    }
    if (!isAlive()) {
      throw new TestkitException(
          name
              + " ended at its start with exit code "
              + process.exitValue()
              + "; its log:\n"
              + tail());
    }
  }

  /** Waits for the end of a program that is no server; refuses an exit code other than 0. */
  void awaitSuccess(Duration limit) {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        kill();
        throw new TestkitException(name + " did not end within " + limit + "; its log:\n" + tail());
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
      throw new TestkitException("interrupted while " + name + " ran", e);
    }
    if (process.exitValue() != 0) {
      throw new TestkitException(
          name + " ended with exit code " + process.exitValue() + "; its log:\n" + tail());
    }
  }

  /** The last lines of the log. */
  String tail() {
    try {
      List<String> lines =
          Files.exists(log)
              ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList()
              : List.of();
      return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + log, e);
    }
  }
}
