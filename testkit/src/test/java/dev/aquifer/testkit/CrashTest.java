package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** What is left of servers whose JVM ended without closing them. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CrashTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Path SEGMENTS = Path.of("/proc/sysvipc/shm");

  @TempDir static Path base;

  /**
   * Two at once, the first to start servers from this folder: both find nothing unpacked yet, and
   * one of them unpacks.
   */
  @Test
  @Order(1)
  void killedJvms_serversEndByThemselves() throws Exception {
    CompletableFuture<ServersInAChildJvm> one = CompletableFuture.supplyAsync(CrashTest::child);
    CompletableFuture<ServersInAChildJvm> two = CompletableFuture.supplyAsync(CrashTest::child);
    try (ServersInAChildJvm first = one.get(60, TimeUnit.SECONDS);
        ServersInAChildJvm second = two.get(60, TimeUnit.SECONDS)) {
      assertThat(first.run()).isNotEqualTo(second.run());
      for (ServersInAChildJvm child : List.of(first, second)) {
        List<String> segments = child.segments();
        assertThat(child.servers()).hasSizeGreaterThan(8).allMatch(ProcessHandle::isAlive);

        child.killJvm();

        assertNothingLeft(child, segments);
      }
    }
  }

  @Test
  @Order(2)
  void killedJvmAndWatchdog_nextStartClearsUp() throws Exception {
    try (ServersInAChildJvm child = ServersInAChildJvm.start(base)) {
      List<String> segments = child.segments();
      child.watchdog().destroyForcibly();
      Eventually.within(SOON).until("watchdog dead", () -> Processes.isGone(child.watchdog()));
      child.killJvm();
      assertThat(child.servers()).allMatch(ProcessHandle::isAlive);
      assertThat(child.run()).exists();

      try (ServersInAChildJvm next = ServersInAChildJvm.start(base)) {
        assertNothingLeft(child, segments);
        assertThat(next.servers()).allMatch(ProcessHandle::isAlive);
        assertEndClosesEverything(next);
      }
    }
  }

  private static void assertEndClosesEverything(ServersInAChildJvm child) throws Exception {
    List<String> segments = child.segments();

    child.endJvm();

    // In the JVM's last act: nothing to wait for.
    assertThat(child.servers()).allMatch(Processes::isGone);
    assertThat(child.run()).doesNotExist();
    assertNothingLeft(child, segments);
  }

  private static ServersInAChildJvm child() {
    return ServersInAChildJvm.start(base);
  }

  private static void assertNothingLeft(ServersInAChildJvm child, List<String> segments) {
    Eventually.within(SOON)
        .asserts(
            () -> {
              assertThat(child.servers()).allMatch(Processes::isGone);
              assertThat(child.run()).doesNotExist();
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
