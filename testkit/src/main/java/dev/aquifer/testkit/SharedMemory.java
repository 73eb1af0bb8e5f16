package dev.aquifer.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The small System V segment by which PostgreSQL guards a data folder. It is noted in the seventh
 * line of {@code postmaster.pid} and stays after a kill until the machine restarts.
 */
final class SharedMemory {
  private static final Logger LOG = LoggerFactory.getLogger(SharedMemory.class);

  private static final String PID_FILE = "postmaster.pid";

  private SharedMemory() {}

  /** Removes the segments of all data folders below a folder. */
  static void removeSegmentsBelow(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(folder)) {
      files = all.filter(path -> path.endsWith(PID_FILE)).toList();
    }
    for (Path file : files) {
      removeSegment(file.resolveSibling(""));
    }
  }

  /** Removes the segment of a data folder whose server is dead. */
  static void removeSegment(Path data) {
    Path file = data.resolve(PID_FILE);
    Optional<Path> ipcrm = Platform.onPath("ipcrm");
    try {
      if (ipcrm.isEmpty() || !Files.exists(file)) {
        return;
      }
      List<String> lines = Files.readAllLines(file);
      String[] keyAndId = lines.size() < 7 ? new String[0] : lines.get(6).strip().split("\\s+");
      if (keyAndId.length == 2) {
        new ProcessBuilder(ipcrm.get().toString(), "-m", keyAndId[1])
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor(5, TimeUnit.SECONDS);
      }
    } catch (IOException e) {
      LOG.debug("the shared memory segment of {} stays behind", data, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
