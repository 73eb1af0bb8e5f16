package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of servers whose JVM ended without closing them. */
class CrashTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Path SEGMENTS = Path.of("/proc/sysvipc/shm");

  @TempDir static Path base;

  @Test
  void killedJvm_serversEndByThemselves() throws Exception {
    try (ServersInAChildJvm child = ServersInAChildJvm.start(base)) {
      List<String> segments = child.segments();
      assertThat(child.servers()).hasSizeGreaterThan(8).allMatch(ProcessHandle::isAlive);

      child.killJvm();

      assertNothingLeft(child.servers(), child.run(), segments);
    }
  }

  @Test
  void killedJvmAndWatchdog_nextStartClearsUp() throws Exception {
    try (ServersInAChildJvm child = ServersInAChildJvm.start(base)) {
      List<String> segments = child.segments();
      child.watchdog().destroyForcibly();
      Eventually.within(SOON).until("watchdog dead", () -> Processes.isGone(child.watchdog()));
      child.killJvm();
      assertThat(child.servers()).allMatch(ProcessHandle::isAlive);
      assertThat(child.run()).exists();

      try (ServersInAChildJvm next = ServersInAChildJvm.start(base)) {
        assertNothingLeft(child.servers(), child.run(), segments);
        assertThat(next.servers()).allMatch(ProcessHandle::isAlive);
        next.endJvm();
      }
    }
  }

  @Test
  void endedJvm_closesWhatItLeftOpen() throws Exception {
    try (ServersInAChildJvm child = ServersInAChildJvm.start(base)) {
      List<String> segments = child.segments();

      child.endJvm();

      // In the JVM's last act: nothing to wait for.
      assertThat(child.servers()).allMatch(Processes::isGone);
      assertThat(child.run()).doesNotExist();
      assertNothingLeft(child.servers(), child.run(), segments);
    }
  }

  private static void assertNothingLeft(
      Set<ProcessHandle> servers, Path run, List<String> segments) {
    Eventually.within(SOON)
        .asserts(
            () -> {
              assertThat(servers).allMatch(Processes::isGone);
              assertThat(run).doesNotExist();
              assertThat(presentSegments()).doesNotContainAnyElementsOf(segments);
            });
  }

  /** On Linux; elsewhere the list of them has no file. */
  private static List<String> presentSegments() throws IOException {
    if (!Files.exists(SEGMENTS)) {
      return List.of();
    }
    return Files.readAllLines(SEGMENTS).stream()
        .map(line -> line.strip().split("\\s+", -1)[1])
        .toList();
  }
}
