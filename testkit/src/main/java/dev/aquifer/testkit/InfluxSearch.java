package dev.aquifer.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * Where an InfluxDB can be had: one that runs, a binary that is named, one on the PATH, a
 * container; in this order. Its inputs are passed in, so that each case can be tried anywhere.
 */
record InfluxSearch(
    Function<String, String> properties,
    Function<String, String> environment,
    Function<String, Optional<Path>> path,
    BooleanSupplier docker) {
  static final String URL = "aquifer.test.influxdb.url";
  static final String TOKEN = "aquifer.test.influxdb.token";
  static final String ORG = "aquifer.test.influxdb.org";
  static final String BINARY = "aquifer.test.influxd";
  static final String REQUIRE = "AQUIFER_TEST_REQUIRE";

  /** A server, or why there is none. */
  record Found(Optional<InfluxServer> server, String reason) {}

  static InfluxSearch here() {
    return new InfluxSearch(
        name -> System.getProperty(name, ""),
        name -> System.getenv().getOrDefault(name, ""),
        Platform::onPath,
        InfluxContainer::isDockerThere);
  }

  /**
   * Starts or connects to a server.
   *
   * @throws TestkitException what was named does not work, or none was found and one is required
   */
  Found find() {
    if (!property(URL).isEmpty()) {
      return found(InfluxServer.connect(property(URL), property(TOKEN), property(ORG), () -> {}));
    }
    if (!property(BINARY).isEmpty()) {
      Path named = Path.of(property(BINARY)).toAbsolutePath();
      if (!Files.isExecutable(named)) {
        throw new TestkitException(
            "the property " + BINARY + " names " + named + ", which cannot be executed");
      }
      return found(InfluxServer.start(named, kind(named).orElseThrow(() -> unknown(named))));
    }
    Optional<Path> onPath = path.apply("influxd");
    Optional<InfluxServer.Kind> kind = onPath.flatMap(InfluxSearch::kind);
    if (kind.isPresent()) {
      return found(InfluxServer.start(onPath.orElseThrow(), kind.get()));
    }
    if (docker.getAsBoolean()) {
      return found(InfluxContainer.start());
    }
    return absent(
        onPath.map(p -> p + " is no influxd 1.x or 2.x").orElse("no influxd is on the PATH")
            + ", no Docker engine answers, and neither property "
            + URL
            + " nor "
            + BINARY
            + " is set");
  }

  private Found absent(String reason) {
    if (Arrays.asList(environment.apply(REQUIRE).split("[, ]+", -1)).contains("influxdb")) {
      throw new TestkitException(REQUIRE + " asks for influxdb, but " + reason);
    }
    return new Found(Optional.empty(), "no InfluxDB: " + reason);
  }

  private static Found found(InfluxServer server) {
    return new Found(Optional.of(server), "");
  }

  private static Optional<InfluxServer.Kind> kind(Path binary) {
    return InfluxServer.Kind.of(InfluxProcess.versionOf(binary));
  }

  private static TestkitException unknown(Path binary) {
    return new TestkitException(
        "the property " + BINARY + " names " + binary + ", which is no influxd 1.x or 2.x");
  }

  private String property(String name) {
    return properties.apply(name).strip();
  }
}
