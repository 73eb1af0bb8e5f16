package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

class InfluxSearchTest {
  @TempDir Path folder;

  @Test
  void find_nothingThere_tellsWhatWasTried() {
    InfluxSearch.Found found = search(Map.of(), Map.of(), Optional.empty()).find();
    assertThat(found.server()).isEmpty();
    assertThat(found.reason())
        .contains("PATH", "Docker", "aquifer.test.influxdb.url", "aquifer.test.influxd");
  }

  @Test
  void newDatabase_nothingThere_skipsTheTestsWithTheReason() {
    try (InfluxExtension.Shared shared =
        new InfluxExtension.Shared(search(Map.of(), Map.of(), Optional.empty()))) {
      assertThatThrownBy(() -> shared.newDatabase(InfluxSearchTest.class))
          .isInstanceOf(TestAbortedException.class)
          .hasMessageContaining("no influxd is on the PATH");
    }
  }

  @Test
  void find_nothingThereButRequired_fails() {
    InfluxSearch search =
        search(Map.of(), Map.of("AQUIFER_TEST_REQUIRE", "docker, influxdb"), Optional.empty());
    assertThatThrownBy(search::find)
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining("AQUIFER_TEST_REQUIRE asks for influxdb");
  }

  @Test
  void find_onThePathButAnotherProgram_isAbsent() throws IOException {
    Path program = program("echo 'InfluxDB v3.1.0'");
    assertThat(search(Map.of(), Map.of(), Optional.of(program)).find().reason())
        .contains(program + " is no influxd 1.x or 2.x");
  }

  @Test
  void find_ofAGeneration_othersAreAbsent() throws IOException {
    Path old = program("echo 'InfluxDB v1.8.10 (git: 1.8 688e697c51fd)'");
    assertThat(search(Map.of(), Map.of(), Optional.of(old)).find(InfluxServer.Kind.V2).reason())
        .contains(old + " is no influxd 2.x");
    assertThat(
            search(
                    Map.of("aquifer.test.influxd", old.toString()),
                    Map.of("AQUIFER_TEST_REQUIRE", "influxdb"),
                    Optional.empty())
                .find(InfluxServer.Kind.V2)
                .server())
        .isEmpty();
    InfluxSearch required =
        search(Map.of(), Map.of("AQUIFER_TEST_REQUIRE", "influxdb2"), Optional.of(old));
    assertThatThrownBy(() -> required.find(InfluxServer.Kind.V2))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining("AQUIFER_TEST_REQUIRE asks for influxdb2");
  }

  @Test
  void find_namedBinaryThatIsMissing_fails() {
    Path missing = folder.resolve("influxd");
    assertThatThrownBy(
            search(Map.of("aquifer.test.influxd", missing.toString()), Map.of(), Optional.empty())
                ::find)
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining(missing.toString());
  }

  @Test
  void find_version3_isLookedForByItself() throws IOException {
    assertThat(search(Map.of(), Map.of(), Optional.empty()).find(InfluxServer.Kind.V3).reason())
        .contains("no influxdb3 is on the PATH", "aquifer.test.influxdb3");
    Path missing = folder.resolve("influxdb3");
    InfluxSearch named =
        search(Map.of("aquifer.test.influxdb3", missing.toString()), Map.of(), Optional.empty());
    assertThatThrownBy(() -> named.find(InfluxServer.Kind.V3))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining(missing.toString());
    Path old = program("echo 'InfluxDB v1.8.10 (git: 1.8 688e697c51fd)'");
    InfluxSearch required =
        search(
            Map.of("aquifer.test.influxd", old.toString()),
            Map.of("AQUIFER_TEST_REQUIRE", "influxdb3"),
            Optional.empty());
    assertThatThrownBy(() -> required.find(InfluxServer.Kind.V3))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining("AQUIFER_TEST_REQUIRE asks for influxdb3");
  }

  @Test
  void find_namedServerThatIsDown_fails() {
    String url = "http://127.0.0.1:" + Ports.free();
    assertThatThrownBy(
            search(Map.of("aquifer.test.influxdb.url", url), Map.of(), Optional.empty())::find)
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining(url);
  }

  @Test
  void versionOf_tellsGenerationsApart() throws IOException {
    assertThat(version("echo 'InfluxDB v1.8.10 (git: 1.8 688e697c51fd)'")).isEqualTo("1.8.10");
    assertThat(version("echo 'InfluxDB v2.7.11 (git: fbf5d4ab5e) build_date: 2024-12-02'"))
        .isEqualTo("2.7.11");
    assertThat(version("exit 1")).isEmpty();
    assertThat(InfluxServer.Kind.of("1.8.10")).contains(InfluxServer.Kind.V1);
    assertThat(InfluxServer.Kind.of("2.7.11")).contains(InfluxServer.Kind.V2);
    assertThat(InfluxServer.Kind.of("3.0.0")).contains(InfluxServer.Kind.V3);
    assertThat(InfluxServer.Kind.of("4.0.0")).isEmpty();
  }

  private String version(String script) throws IOException {
    return InfluxProcess.versionOf(program(script));
  }

  private Path program(String script) throws IOException {
    Path file = Files.createTempFile(folder, "influxd", "");
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private static InfluxSearch search(
      Map<String, String> properties, Map<String, String> environment, Optional<Path> influxd) {
    return new InfluxSearch(
        name -> properties.getOrDefault(name, ""),
        name -> environment.getOrDefault(name, ""),
        name -> influxd,
        () -> false);
  }
}
