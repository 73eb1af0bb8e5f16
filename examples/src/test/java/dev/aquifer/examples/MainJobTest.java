package dev.aquifer.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A short run of the main job passes its own checks; with the position gate off, its check of stale
 * reads fails.
 */
class MainJobTest {
  @TempDir Path folder;

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @Test
  void run_passesItsChecksAndWritesTheSummary() throws Exception {
    int exit = run("--seconds=5", "--users=60");

    assertThat(exit).as(printed()).isZero();
    JsonNode summary = summary();
    JsonNode answers = summary.get("answers");
    assertThat(summary.get("reads").asLong())
        .isEqualTo(
            answers.get("l1").asLong()
                + answers.get("l2").asLong()
                + answers.get("replica").asLong()
                + answers.get("primary").asLong());
    assertThat(summary.get("staleReads").asLong()).isZero();
    assertThat(summary.get("failedReads").asLong()).isZero();
    assertThat(summary.get("writes").asLong()).isPositive();
    assertThat(summary.get("bucketsFetched").asLong())
        .isPositive()
        .isLessThan(summary.get("bucketsShown").asLong());
    assertThat(summary.get("latencyMicros").get("p99").asLong()).isPositive();
    assertThat(summary.get("replicaOutMillis").isNumber()).isTrue();
    assertThat(summary.get("versions").get("postgresql").asString()).startsWith("18");
    assertThat(printed()).contains("Database reads avoided", "20,000 of 20,000 flights");
  }

  @Test
  void run_withoutThePositionGateFindsStaleReads() throws Exception {
    int exit = run("--seconds=5", "--users=60", "--gate=off");

    assertThat(exit).as(printed()).isEqualTo(1);
    assertThat(summary().get("staleReads").asLong()).isPositive();
    assertThat(printed()).contains("FAIL  stale reads");
  }

  @Test
  void run_refusesWhatIsNoOption() {
    assertThat(run("--second=5")).isEqualTo(1);
    assertThat(printed()).contains("Not an option: '--second=5'", "--seconds=N");
  }

  @Test
  void run_refusesANumberOutOfBounds() {
    assertThat(run("--seconds=500")).isEqualTo(1);
    assertThat(printed()).contains("--seconds is 3 to 40, not 500");
  }

  private int run(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--result=" + folder.resolve("main-job.json");
    return MainJob.run(new PrintStream(printed, true, StandardCharsets.UTF_8), all);
  }

  private String printed() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  private JsonNode summary() throws Exception {
    return JsonMapper.shared().readTree(Files.readString(folder.resolve("main-job.json")));
  }
}
