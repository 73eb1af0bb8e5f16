package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProofTest {
  private static final List<String> PROPERTIES =
      List.of("proof.long", "proof.seed", "proof.scale", "proof.directory");

  private final Map<String, String> before = new HashMap<>();
  @TempDir Path folder;

  @BeforeEach
  void ownProperties() {
    for (String name : PROPERTIES) {
      String value = System.clearProperty(name);
      if (value != null) {
        before.put(name, value);
      }
    }
    System.setProperty("proof.directory", folder.toString());
  }

  @AfterEach
  void restoreProperties() {
    PROPERTIES.forEach(System::clearProperty);
    before.forEach(System::setProperty);
  }

  @Test
  void each_thatHolds_writesItsRecord() throws Exception {
    System.setProperty("proof.seed", "7");
    System.setProperty("proof.scale", "0.5");
    Proof.of("holds").tries(20, 1000).each(random -> assertThat(random.nextInt(5)).isLessThan(5));
    assertThat(Files.readString(folder.resolve("holds.json")))
        .contains("\"name\": \"holds\"", "\"seed\": 7", "\"tried\": 10", "\"failed\": 0")
        .contains("\"seconds\": ", "\"details\": {}");
  }

  @Test
  void each_longForm_runsTheLongCount() throws Exception {
    System.setProperty("proof.long", "true");
    Proof.of("long").tries(1, 300).each(random -> random.nextInt());
    assertThat(Files.readString(folder.resolve("long.json"))).contains("\"tried\": 300");
  }

  @Test
  void each_thatFails_namesASeedThatRepeatsTheFailure() throws Exception {
    List<Integer> seen = new ArrayList<>();
    String message =
        failure(
            () ->
                Proof.of("fails")
                    .tries(2_000, 2_000)
                    .each(
                        random -> {
                          int value = random.nextInt(50);
                          if (value == 3) {
                            seen.add(random.nextInt());
                            throw new IllegalStateException("three");
                          }
                        }));
    assertThat(message).contains("-Dproof.seed=");
    assertThat(Files.readString(folder.resolve("fails.json"))).contains("\"failures\": [\"seed ");
    Matcher seed = Pattern.compile("seed (-?\\d+): ").matcher(message);
    assertThat(seed.find()).isTrue();

    System.setProperty("proof.seed", seed.group(1));
    List<Integer> repeated = new ArrayList<>();
    failure(
        () ->
            Proof.of("fails")
                .tries(1, 1)
                .each(
                    random -> {
                      assertThat(random.nextInt(50)).isEqualTo(3);
                      repeated.add(random.nextInt());
                      throw new IllegalStateException("three");
                    }));
    assertThat(repeated).containsExactly(seen.get(0));
  }

  @Test
  void run_withoutATry_fails() {
    assertThat(failure(() -> Proof.of("empty").run(run -> run.detail("n", 1))))
        .contains("nothing was tried");
  }

  @Test
  void run_thatCounts_recordsDetails() throws Exception {
    Proof.of("counts")
        .run(
            run -> {
              run.tried(run.tries());
              run.detail("stale \"reads\"", 0);
            });
    assertThat(Files.readString(folder.resolve("counts.json")))
        .contains("\"tried\": 100", "{\"stale \\\"reads\\\"\": 0}");
  }

  @Test
  void run_withAScaleThatIsNoNumber_isRefused() {
    System.setProperty("proof.scale", "much");
    assertThatThrownBy(() -> Proof.of("scale").run(run -> run.tried(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("much");
  }

  private static String failure(Runnable proof) {
    try {
      proof.run();
    } catch (AssertionError e) {
      return String.valueOf(e.getMessage());
    }
    throw new AssertionError("the proof passed");
  }
}
