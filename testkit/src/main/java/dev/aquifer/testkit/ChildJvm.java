package dev.aquifer.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A program of a test in a JVM of its own, so that it can be killed or stand still as a whole.
 *
 * <pre>{@code
 * try (ChildJvm child = ChildJvm.start(Loading.class, redis.uri().toString())) {
 *   child.await("loading");
 *   child.kill();
 * }
 * }</pre>
 *
 * <p>The program has the class path of this JVM and a {@code main}. It tells what it has to say by
 * lines {@code name=value} on its output, and is told by lines of its input, whose end should end
 * it. Its errors are written to those of this JVM. Like a server of the kit it does not outlive
 * this JVM. For one thread at a time.
 */
public final class ChildJvm implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String END = "\0";

  private final String name;
  private final Process jvm;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  private ChildJvm(String name, Process jvm) {
    this.name = name;
    this.jvm = jvm;
    Thread reader = new Thread(this::read, "child-jvm-" + jvm.pid());
    reader.setDaemon(true);
    reader.start();
  }

  /**
   * Starts a program.
   *
   * @throws TestkitException it cannot be started
   */
  public static ChildJvm start(Class<?> program, String... arguments) {
    return start(List.of(), program, arguments);
  }

  /** The same with options for its JVM. */
  public static ChildJvm start(List<String> options, Class<?> program, String... arguments) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // What lives so shortly is not worth much compiling.
    line.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    line.addAll(options);
    String logging = System.getProperty("logback.configurationFile");
    if (logging != null) {
      line.add("-Dlogback.configurationFile=" + logging);
    }
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    line.addAll(List.of(arguments));
    try {
      return new ChildJvm(
          program.getSimpleName(),
          new ProcessBuilder(ServerProcess.noted(Workspace.get(), line))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    } catch (IOException e) {
      throw new TestkitException(program.getSimpleName() + " cannot be started", e);
    }
  }

  private void read() {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
      reader.lines().forEach(lines::add);
    } catch (IOException | UncheckedIOException e) {
      // It is gone.
    } finally {
      lines.add(END);
    }
  }

  /**
   * Waits for a line {@code name=value}, and skips all before it.
   *
   * @return the value
   * @throws TestkitException the program ended, or said nothing of the kind within a minute
   */
  public String await(String value) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    try {
      while (true) {
        String line = lines.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (line == null || line.equals(END)) {
          throw new TestkitException(
              this
                  + (line == null ? " did not say within " + LIMIT : " ended and never said")
                  + " its "
                  + value);
        }
        if (line.startsWith(value + "=")) {
          return line.substring(value.length() + 1);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestkitException("interrupted while waiting for " + this, e);
    }
  }

  /** Gives the program a line. */
  public void tell(String line) {
    try {
      OutputStream input = jvm.getOutputStream();
      input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      input.flush();
    } catch (IOException e) {
      throw new TestkitException(this + " takes no more lines", e);
    }
  }

  /** Kills it (SIGKILL); it is gone when this returns. */
  public void kill() {
    jvm.destroyForcibly();
    awaitEnd();
  }

  /** Halts it (SIGSTOP): its connections stay open, and nothing in it goes on. */
  public void pause() {
    Processes.signal("STOP", Set.of(jvm.toHandle()));
    Eventually.within(LIMIT)
        .every(Duration.ofMillis(1))
        .until(this + " stands still", () -> Processes.isStopped(jvm.toHandle()));
  }

  /** Lets it go on. */
  public void resume() {
    Processes.signal("CONT", Set.of(jvm.toHandle()));
  }

  /** Ends its input, and waits for its end. */
  public int end() {
    try {
      jvm.getOutputStream().close();
    } catch (IOException e) {
      // It ended by itself.
    }
    return awaitEnd();
  }

  /**
   * Waits for its end.
   *
   * @return its exit code
   * @throws TestkitException it has not ended within a minute
   */
  public int awaitEnd() {
    try {
      if (!jvm.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new TestkitException(this + " did not end within " + LIMIT);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestkitException("interrupted while waiting for " + this, e);
    }
    return jvm.exitValue();
  }

  /** Kills it, unless it has ended. */
  @Override
  public void close() {
    jvm.destroyForcibly();
  }

  @Override
  public String toString() {
    return name + " in process " + jvm.pid();
  }
}
