package dev.aquifer.testkit;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An InfluxDB, 1.x or 2.x, or 3 where that is asked for, where one can be had.
 *
 * <pre>{@code
 * Optional<InfluxServer> found = InfluxServer.find();
 * }</pre>
 *
 * <p>Looked for in this order: one that runs, named by the system properties {@code
 * aquifer.test.influxdb.url}, {@code .token} and {@code .org}; the {@code influxd} that {@code
 * aquifer.test.influxd} names; {@code influxd} on the PATH; a container, where a Docker engine is.
 * A server that the kit starts listens on loopback, reports to nobody, and leaves nothing behind.
 * With {@code influxdb} in the environment variable {@code AQUIFER_TEST_REQUIRE}, not finding one
 * is an error.
 *
 * <p>A 3 is looked for only by its {@link Kind}: the {@code influxdb3} that {@code
 * aquifer.test.influxdb3} names, or one on the PATH.
 *
 * <p>Databases are databases in 1.x and 3, and in 2.x buckets with a mapping, so that InfluxQL
 * works in both of the first. Thread-safe.
 */
public final class InfluxServer implements AutoCloseable {
  static final String OWN_ORG = "aquifer";

  private static final Logger LOG = LoggerFactory.getLogger(InfluxServer.class);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final Pattern ID = Pattern.compile("\"id\"\\s*:\\s*\"([0-9a-f]{16})\"");
  private static final String JSON = "application/json";
  private static final String DATABASE_V3 = "/api/v3/configure/database";

  private final InfluxHttp http;
  private final Kind kind;
  private final String version;
  private final String token;
  private final String org;
  private final @Nullable InfluxProcess process;
  private final Runnable end;
  private final AtomicBoolean closed = new AtomicBoolean();

  private InfluxServer(
      InfluxHttp http,
      Kind kind,
      String token,
      String org,
      @Nullable InfluxProcess process,
      Runnable end) {
    this.http = http;
    this.kind = kind;
    this.token = token;
    this.org = org;
    this.process = process;
    this.end = end;
    this.version = tellVersion(http);
  }

  /**
   * The server that can be had here, or nothing, with the reason in the log. To be closed by the
   * caller; one that ran before goes on running.
   *
   * @throws TestkitException what a property names does not work, or a server is required
   */
  public static Optional<InfluxServer> find() {
    InfluxSearch.Found found = InfluxSearch.here().find();
    if (found.server().isEmpty()) {
      LOG.warn("{}", found.reason());
    }
    return found.server();
  }

  /**
   * The same, of one generation alone: a server, a binary or an image of another counts as absent.
   *
   * @throws TestkitException what a property names does not work, or {@code influxdb1}, {@code
   *     influxdb2} or {@code influxdb3} is required
   */
  public static Optional<InfluxServer> find(Kind wanted) {
    InfluxSearch.Found found = InfluxSearch.here().find(wanted);
    if (found.server().isEmpty()) {
      LOG.info("{}", found.reason());
    }
    return found.server();
  }

  static InfluxServer start(Path binary, Kind kind) {
    InfluxProcess process = new InfluxProcess(binary, kind);
    try {
      process.startFirst();
      String token = kind == Kind.V2 ? Secrets.password(new SecureRandom()) : "";
      String url = "http://127.0.0.1:" + process.port();
      if (kind == Kind.V2) {
        onboard(new InfluxHttp(url, ""), token);
      }
      InfluxServer server =
          new InfluxServer(
              new InfluxHttp(url, token),
              kind,
              token,
              kind == Kind.V2 ? OWN_ORG : "",
              process,
              () -> {});
      Workspace.get().closeAtEnd(server);
      return server;
    } catch (RuntimeException | Error e) {
      process.kill();
      process.deleteFiles();
      throw e;
    }
  }

  static InfluxServer connect(String url, String token, String org, Runnable end) {
    InfluxHttp http = new InfluxHttp(url, token);
    String version = tellVersion(http);
    Kind kind =
        Kind.of(version)
            .orElseThrow(
                () ->
                    new TestkitException(
                        url + " is an InfluxDB " + version + "; the kit knows 1.x and 2.x"));
    if (kind == Kind.V2 && (token.isEmpty() || org.isEmpty())) {
      throw new TestkitException(
          url
              + " is an InfluxDB "
              + version
              + ": set the properties "
              + InfluxSearch.TOKEN
              + " and "
              + InfluxSearch.ORG);
    }
    return new InfluxServer(http, kind, token, org, null, end);
  }

  private static String tellVersion(InfluxHttp http) {
    try {
      String version = http.version().orElse("");
      return version.startsWith("v") ? version.substring(1) : version;
    } catch (IOException e) {
      throw new TestkitException("no InfluxDB answers at " + http.base(), e);
    }
  }

  /** Makes a fresh 2.x ready: its first user, organization, bucket and token. */
  private static void onboard(InfluxHttp http, String token) {
    Map<String, Object> setup =
        Map.of(
            "username", "aquifer",
            "password", token,
            "org", OWN_ORG,
            "bucket", "first",
            "token", token);
    http.post("/api/v2/setup", Map.of(), JSON, Json.write(setup));
  }

  /** Which generation it is. */
  public Kind kind() {
    return kind;
  }

  /** The version it reports, such as {@code 1.6.7}. */
  public String version() {
    return version;
  }

  /** Where it listens: {@code http://127.0.0.1:18086}. */
  public String url() {
    return http.base();
  }

  /** The token that may do everything, in 2.x; empty in 1.x. */
  public String token() {
    return token;
  }

  /** The organization, in 2.x; empty in 1.x. */
  public String org() {
    return org;
  }

  /**
   * Creates a database; in 2.x a bucket of that name, mapped for InfluxQL.
   *
   * @param name 1 to 64 of {@code [A-Za-z0-9_-]}
   */
  public InfluxDatabase createDatabase(String name) {
    checked(name);
    if (kind == Kind.V1) {
      http.post("/query", Map.of("q", "CREATE DATABASE \"" + name + "\""), JSON, "");
    } else if (kind == Kind.V3) {
      http.post(DATABASE_V3, Map.of(), JSON, Json.write(Map.of("db", name)));
    } else {
      String orgId = firstId(http.get("/api/v2/orgs", Map.of("org", org)), "organization " + org);
      String bucket =
          http.post(
              "/api/v2/buckets", Map.of(), JSON, Json.write(Map.of("orgID", orgId, "name", name)));
      Map<String, Object> mapping =
          Map.of(
              "orgID",
              orgId,
              "bucketID",
              firstId(bucket, "bucket " + name),
              "database",
              name,
              "retention_policy",
              "autogen",
              "default",
              true);
      http.post("/api/v2/dbrps", Map.of(), JSON, Json.write(mapping));
    }
    return new InfluxDatabase(this, name);
  }

  /** Drops a database with its data. */
  public void dropDatabase(String name) {
    checked(name);
    if (kind == Kind.V1) {
      http.post("/query", Map.of("q", "DROP DATABASE \"" + name + "\""), JSON, "");
    } else if (kind == Kind.V3) {
      http.delete(DATABASE_V3 + "?db=" + name);
    } else {
      String buckets = http.get("/api/v2/buckets", Map.of("org", org, "name", name));
      http.delete("/api/v2/buckets/" + firstId(buckets, "bucket " + name));
    }
  }

  /**
   * Writes points.
   *
   * @param lineProtocol one point a line, times in nanoseconds
   * @throws TestkitException the server refuses them; its answer is in the message
   */
  public void write(String database, String lineProtocol) {
    checked(database);
    if (kind == Kind.V1) {
      http.post("/write", Map.of("db", database, "precision", "ns"), "text/plain", lineProtocol);
    } else if (kind == Kind.V3) {
      http.post(
          "/api/v3/write_lp",
          Map.of("db", database, "precision", "nanosecond"),
          "text/plain",
          lineProtocol);
    } else {
      http.post(
          "/api/v2/write",
          Map.of("org", org, "bucket", database, "precision", "ns"),
          "text/plain",
          lineProtocol);
    }
  }

  /** Sends InfluxQL that reads and returns the answer as it came: JSON, times in nanoseconds. */
  public String query(String database, String influxQl) {
    return http.get("/query", Map.of("db", checked(database), "q", influxQl, "epoch", "ns"));
  }

  /**
   * Sends Flux and returns the answer as it came: annotated CSV.
   *
   * @throws IllegalStateException the server is no 2.x
   */
  public String flux(String flux) {
    if (kind != Kind.V2) {
      throw new IllegalStateException("Flux needs InfluxDB 2.x; this is " + this);
    }
    Map<String, Object> dialect = Map.of("annotations", List.of("datatype", "group", "default"));
    return http.post(
        "/api/v2/query",
        Map.of("org", org),
        JSON,
        Json.write(Map.of("query", flux, "type", "flux", "dialect", dialect)));
  }

  /** Whether the kit started its process: only then {@link #kill} and the like work. */
  public boolean isOwn() {
    return process != null;
  }

  /** Kills the server (SIGKILL); it is gone when this returns. */
  public void kill() {
    own().kill();
  }

  /** Halts the server (SIGSTOP): connections stay open and nothing answers. */
  public void pause() {
    own().pause();
  }

  /** Lets a paused server go on. */
  public void resume() {
    own().resume();
  }

  /** Starts the server again on its port, after an orderly stop if it still runs; data are kept. */
  public void restart() {
    own().restart();
  }

  /** Whether its process is there; true for a server that the kit did not start. */
  public boolean isRunning() {
    return process == null || process.isAlive();
  }

  /** Ends a server that the kit started and deletes its files. Further calls do nothing. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    if (process != null) {
      process.kill();
      process.deleteFiles();
      Workspace.get().closed(this);
    }
    end.run();
  }

  @Override
  public String toString() {
    return "InfluxDB " + version + " at " + url();
  }

  long pid() {
    return own().pid();
  }

  private InfluxProcess own() {
    if (process == null) {
      throw new IllegalStateException(this + " was not started by the test kit");
    }
    return process;
  }

  private static String checked(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "database name '" + name + "' is not 1 to 64 of [A-Za-z0-9_-]");
    }
    return name;
  }

  private static String firstId(String json, String what) {
    Matcher matcher = ID.matcher(json);
    if (!matcher.find()) {
      throw new TestkitException("InfluxDB does not know " + what);
    }
    return matcher.group(1);
  }

  /** Generations of InfluxDB. */
  public enum Kind {
    /** 1.x: databases, InfluxQL. */
    V1,
    /** 2.x: buckets, Flux, and InfluxQL through a mapping. */
    V2,
    /** 3: databases, SQL over Arrow Flight. */
    V3;

    static Optional<Kind> of(String version) {
      if (version.startsWith("1.")) {
        return Optional.of(V1);
      }
      if (version.startsWith("2.")) {
        return Optional.of(V2);
      }
      return version.startsWith("3.") ? Optional.of(V3) : Optional.empty();
    }
  }
}
