package dev.aquifer.tsquery.flux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The bodies that a real InfluxDB answered with; {@code flux/README.md} among the resources. */
public final class RecordedAnswers {
  private RecordedAnswers() {}

  /** Each by its name, as it came. */
  public static Map<String, byte[]> all() {
    Map<String, byte[]> answers = new TreeMap<>();
    try (ZipInputStream zip =
        new ZipInputStream(RecordedAnswers.class.getResourceAsStream("/flux/answers.zip"))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        answers.put(entry.getName(), zip.readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return answers;
  }
}
