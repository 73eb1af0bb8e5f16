package dev.aquifer.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Starts servers and closes none, in a JVM of its own: what {@link CrashTest} kills. As a program
 * it tells what it started and waits for the end of its input.
 */
final class ServersInAChildJvm implements AutoCloseable {
  private final ChildJvm jvm;
  private final Path run;
  private final ProcessHandle watchdog;
  private final Set<ProcessHandle> servers = new LinkedHashSet<>();

  private ServersInAChildJvm(ChildJvm jvm) {
    this.jvm = jvm;
    this.run = Path.of(jvm.await("run"));
    this.watchdog = process(jvm.await("watchdog"));
    for (String pid : jvm.await("servers").split(",", -1)) {
      servers.add(process(pid));
    }
  }

  static ServersInAChildJvm start(Path base) {
    ChildJvm jvm =
        ChildJvm.start(List.of("-D" + Workspace.DIRECTORY + "=" + base), ServersInAChildJvm.class);
    try {
      return new ServersInAChildJvm(jvm);
    } catch (RuntimeException e) {
      jvm.close();
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

  void killJvm() {
    jvm.kill();
  }

  void endJvm() {
    jvm.end();
  }

  @Override
  public void close() {
    jvm.close();
  }

  private static ProcessHandle process(String pid) {
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }
}
