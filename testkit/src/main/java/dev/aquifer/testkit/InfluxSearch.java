package dev.aquifer.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
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
  static final String BINARY_V3 = "aquifer.test.influxdb3";
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
   * Starts or connects to a server, 1.x or 2.x.
   *
   * @throws TestkitException what was named does not work, or none was found and one is required
   */
  Found find() {
    return find(EnumSet.of(InfluxServer.Kind.V1, InfluxServer.Kind.V2), "influxdb");
  }

  /** Starts or connects to a server of that generation; others count as absent. */
  Found find(InfluxServer.Kind wanted) {
    if (wanted == InfluxServer.Kind.V3) {
      return findV3();
    }
    return find(EnumSet.of(wanted), wanted == InfluxServer.Kind.V1 ? "influxdb1" : "influxdb2");
  }

  private Found find(Set<InfluxServer.Kind> wanted, String required) {
    if (!property(URL).isEmpty()) {
      InfluxServer server =
          InfluxServer.connect(property(URL), property(TOKEN), property(ORG), () -> {});
      return wanted.contains(server.kind())
          ? found(server)
          : absent(property(URL) + " is an InfluxDB " + server.version(), required);
    }
    if (!property(BINARY).isEmpty()) {
      Path named = Path.of(property(BINARY)).toAbsolutePath();
      if (!Files.isExecutable(named)) {
        throw new TestkitException(
            "the property " + BINARY + " names " + named + ", which cannot be executed");
      }
      InfluxServer.Kind kind = kind(named).orElseThrow(() -> unknown(named));
      return wanted.contains(kind)
          ? found(InfluxServer.start(named, kind))
          : absent(named + " is of another generation", required);
    }
    Optional<Path> onPath = path.apply("influxd");
    Optional<InfluxServer.Kind> kind = onPath.flatMap(InfluxSearch::kind).filter(wanted::contains);
    if (kind.isPresent()) {
      return found(InfluxServer.start(onPath.orElseThrow(), kind.get()));
    }
    if (wanted.contains(InfluxServer.Kind.V2) && docker.getAsBoolean()) {
      return found(InfluxContainer.start());
    }
    return absent(
        onPath
                .map(p -> p + " is no influxd " + versions(wanted))
                .orElse("no influxd is on the PATH")
            + ", no Docker engine answers, and neither property "
            + URL
            + " nor "
            + BINARY
            + " is set",
        required);
  }

  private Found findV3() {
    String named = property(BINARY_V3);
    Optional<Path> binary =
        named.isEmpty()
            ? path.apply("influxdb3")
            : Optional.of(Path.of(named).toAbsolutePath()).filter(Files::isExecutable);
    if (!named.isEmpty() && binary.isEmpty()) {
      throw new TestkitException(
          "the property " + BINARY_V3 + " names " + named + ", which cannot be executed");
    }
    return binary
        .map(each -> found(InfluxServer.start(each, InfluxServer.Kind.V3)))
        .orElseGet(
            () ->
                absent(
                    "no influxdb3 is on the PATH, and property " + BINARY_V3 + " is not set",
                    "influxdb3"));
  }

  private static String versions(Set<InfluxServer.Kind> wanted) {
    return wanted.size() > 1 ? "1.x or 2.x" : wanted.contains(InfluxServer.Kind.V1) ? "1.x" : "2.x";
  }

  private Found absent(String reason, String required) {
    if (Arrays.asList(environment.apply(REQUIRE).split("[, ]+", -1)).contains(required)) {
      throw new TestkitException(REQUIRE + " asks for " + required + ", but " + reason);
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
