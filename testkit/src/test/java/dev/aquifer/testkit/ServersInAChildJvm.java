package dev.aquifer.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Starts servers and closes none, in a JVM of its own: what {@link CrashTest} kills. As a program
 * it tells what it started and waits for the end of its input.
 */
final class ServersInAChildJvm implements AutoCloseable {
  private final Process jvm;
  private final Path run;
  private final ProcessHandle watchdog;
  private final Set<ProcessHandle> servers = new LinkedHashSet<>();

  private ServersInAChildJvm(Process jvm, BufferedReader output) throws IOException {
    this.jvm = jvm;
    this.run = Path.of(value(output, "run"));
    this.watchdog = process(value(output, "watchdog"));
    for (String pid : value(output, "servers").split(",", -1)) {
      servers.add(process(pid));
    }
  }

  static ServersInAChildJvm start(Path base) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.add("-D" + Workspace.DIRECTORY + "=" + base);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ServersInAChildJvm.class.getName());
    Process jvm =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      return new ServersInAChildJvm(
          jvm,
          new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8)));
    } catch (IOException | RuntimeException e) {
      jvm.destroyForcibly();
      throw e;
    }
  }

  public static void main(String[] arguments) throws IOException {
    PostgresCluster cluster = PostgresCluster.builder().standbys(1).start();
    RedisServer redis = RedisServer.start();
    // Halted servers do not notice that anybody died.
    cluster.standby(0).pause();
    redis.pause();
    System.out.println("run=" + Workspace.get().runFolder());
    System.out.println("watchdog=" + Workspace.get().watchdogPid());
    System.out.println(
        "servers="
            + String.join(
                ",",
                Stream.of(cluster.primary().pid(), cluster.standby(0).pid(), redis.pid())
                    .flatMap(
                        pid ->
                            Stream.concat(
                                Stream.of(pid),
                                ProcessHandle.of(pid)
                                    .orElseThrow()
                                    .children()
                                    .map(ProcessHandle::pid)))
                    .map(pid -> Long.toString(pid))
                    .toList()));
    while (System.in.read() >= 0) {
      // Until the parent closes the pipe.
    }
  }

  Path run() {
    return run;
  }

  ProcessHandle watchdog() {
    return watchdog;
  }

  Set<ProcessHandle> servers() {
    return servers;
  }

  /** The ids of the shared memory segments that the PostgreSQL servers noted. */
  List<String> segments() throws IOException {
    List<String> ids = new ArrayList<>();
    try (Stream<Path> files = Files.walk(run)) {
      for (Path file : files.filter(path -> path.endsWith("postmaster.pid")).toList()) {
        ids.add(Files.readAllLines(file).get(6).strip().split("\\s+", -1)[1]);
      }
    }
    return ids;
  }

  void killJvm() throws InterruptedException {
    jvm.destroyForcibly();
    if (!jvm.waitFor(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the child JVM does not die");
    }
  }

  void endJvm() throws IOException, InterruptedException {
    jvm.getOutputStream().close();
    if (!jvm.waitFor(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the child JVM does not end");
    }
  }

  @Override
  public void close() {
    jvm.destroyForcibly();
  }

  private static ProcessHandle process(String pid) {
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  private static String value(BufferedReader output, String name) throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith(name + "=")) {
        return line.substring(name.length() + 1);
      }
    }
    throw new IOException("the child JVM ended before it said its " + name);
  }
}
