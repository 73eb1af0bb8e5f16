package dev.aquifer.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * One server of a {@link PostgresCluster}, and what can go wrong with it.
 *
 * <p>Faults are real: signals to the server's processes and the server's own functions. Each method
 * returns when what it does has been done, and gives up with {@link TestkitException} after the
 * cluster's limit. Address and files stay the same through {@link #kill}, {@link #stop} and {@link
 * #restart}. Thread-safe.
 */
public final class PostgresNode {
  private static final String CONTROL_DATABASE = "postgres";
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);

  private final PostgresCluster cluster;
  private final String name;
  private final Path folder;
  private final int port;
  private final Map<String, String> settings;
  private final ServerLife life = new ServerLife(this);

  PostgresNode(PostgresCluster cluster, String name, Path folder, int port) {
    this.cluster = cluster;
    this.name = name;
    this.folder = folder;
    this.port = port;
    this.settings = new LinkedHashMap<>();
  }

  /** {@code primary}, {@code standby1}, …: the role it was made for, also after a promotion. */
  public String name() {
    return name;
  }

  /** Always {@code 127.0.0.1}. */
  public String host() {
    return PostgresCluster.HOST;
  }

  /** The port it listens on whenever it runs. */
  public int port() {
    return port;
  }

  /** A JDBC URL of one of its databases, without user and password. */
  public String url(String database) {
    return "jdbc:postgresql://" + host() + ":" + port + "/" + database;
  }

  /** The superuser: {@code aquifer}. */
  public String user() {
    return PostgresBinaries.USER;
  }

  /** The superuser's password, random for each cluster. */
  public String password() {
    return cluster.password();
  }

  /** A source of new, unpooled connections to one of its databases, as the superuser. */
  public DataSource dataSource(String database) {
    return dataSource(database, password());
  }

  DataSource dataSource(String database, String password) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setServerNames(new String[] {host()});
    source.setPortNumbers(new int[] {port});
    source.setDatabaseName(database);
    source.setUser(user());
    source.setPassword(password);
    source.setConnectTimeout((int) CONNECT_LIMIT.toSeconds());
    source.setLoginTimeout((int) CONNECT_LIMIT.toSeconds());
    source.setSocketTimeout((int) Math.max(1, cluster.limit().toSeconds()));
    return source;
  }

  /** Whether its process is there; a paused one is. */
  public boolean isRunning() {
    return life.isRunning();
  }

  /** Whether it is stopped by {@link #pause}. */
  public boolean isPaused() {
    return life.isPaused();
  }

  /** The id of its main process, the postmaster. */
  public long pid() {
    return life.running().pid();
  }

  /** Whether the server is in recovery: a standby that has not been promoted. */
  public boolean isInRecovery() {
    return query("SELECT pg_is_in_recovery()").equals("t");
  }

  /** The position written so far, on a server not in recovery: {@code 0/3000148}. */
  public String currentLsn() {
    return query("SELECT pg_current_wal_lsn()");
  }

  /** The position replayed so far, on a server in recovery. */
  public String replayLsn() {
    return query("SELECT pg_last_wal_replay_lsn()");
  }

  /** Kills the server (SIGKILL) with all its processes; all are gone when this returns. */
  public void kill() {
    life.alone(this::killNow);
  }

  /** Stops the server in order (a fast shutdown), or kills it when that takes too long. */
  public void stop() {
    life.alone(this::stopNow);
  }

  /**
   * Halts the server and all its processes (SIGSTOP): connections stay open, new ones are taken by
   * the operating system, and nothing answers.
   */
  public void pause() {
    life.pause();
  }

  /** Lets a paused server go on. */
  public void resume() {
    life.resume();
  }

  /** Stops replaying on a standby; it still receives, and answers with what it has. */
  public void pauseReplay() {
    execute("SELECT pg_wal_replay_pause()");
    await("replay paused", () -> query("SELECT pg_get_wal_replay_pause_state()").equals("paused"));
  }

  /** Replays again. */
  public void resumeReplay() {
    execute("SELECT pg_wal_replay_resume()");
  }

  /**
   * Makes a standby a primary, on a new timeline. The others go on following whom they followed;
   * see {@link #follow}.
   */
  public void promote() {
    String promoted = query("SELECT pg_promote(true, " + cluster.limit().toSeconds() + ")");
    if (!promoted.equals("t")) {
      throw new TestkitException(name + " was not promoted within " + cluster.limit());
    }
  }

  /** Makes a standby stream from another node, such as one just promoted. */
  public void follow(PostgresNode upstream) {
    life.alone(
        () -> {
          settings.put("primary_conninfo", upstream.connectionInfo(name));
          writeSettings();
          execute("SELECT pg_reload_conf()");
        });
  }

  /** Starts the server again, after an orderly stop if it still runs. Its data are kept. */
  public void restart() {
    life.alone(
        () -> {
          stopNow();
          startNow();
        });
  }

  /**
   * Waits until this standby has replayed a position.
   *
   * @param lsn a position of the primary, as {@link #currentLsn} gives it
   * @throws TestkitException it has not within {@code limit}
   */
  public void awaitReplay(String lsn, Duration limit) {
    Lsn.parse(lsn);
    try {
      Eventually.within(limit)
          .every(Duration.ofMillis(2))
          .until(name + " has replayed " + lsn, () -> Lsn.parse(replayLsn()) >= Lsn.parse(lsn));
    } catch (AssertionError e) {
      throw new TestkitException(name + " has not replayed " + lsn + " within " + limit, e);
    }
  }

  /** {@link #awaitReplay(String, Duration)} with the cluster's limit. */
  public void awaitReplay(String lsn) {
    awaitReplay(lsn, cluster.limit());
  }

  /** Executes SQL in the database {@code postgres}, as the superuser. */
  public void execute(String sql) {
    try (Connection connection = dataSource(CONTROL_DATABASE).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new TestkitException(
          name + " (" + host() + ":" + port + ") failed: " + e.getMessage(), e);
    }
  }

  /** First column of the first row; an SQL null or no row is refused. */
  String query(String sql) {
    try (Connection connection = dataSource(CONTROL_DATABASE).getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      String value = rows.next() ? rows.getString(1) : null;
      if (value == null) {
        throw new TestkitException(name + " has no answer to: " + sql);
      }
      return value;
    } catch (SQLException e) {
      throw new TestkitException(
          name + " (" + host() + ":" + port + ") failed: " + e.getMessage(), e);
    }
  }

  @Override
  public String toString() {
    return name + "@" + host() + ":" + port;
  }

  Path data() {
    return folder.resolve("data");
  }

  void start(Map<String, String> initialSettings) {
    life.alone(
        () -> {
          settings.putAll(initialSettings);
          startNow();
        });
  }

  String connectionInfo(String applicationName) {
    return "host="
        + host()
        + " port="
        + port
        + " user="
        + user()
        + " password="
        + password()
        + " application_name="
        + applicationName;
  }

  /** Whether it is a standby whose replay is not paused. */
  boolean isReplaying() {
    return query(
            "SELECT CASE WHEN pg_is_in_recovery() THEN NOT pg_is_wal_replay_paused() ELSE false END")
        .equals("t");
  }

  /** Gives the superuser the cluster's password in place of the template's. */
  void setPassword() {
    String sql = "ALTER ROLE " + user() + " PASSWORD '" + password() + "'";
    try (Connection connection =
            dataSource(CONTROL_DATABASE, PostgresBinaries.takePassword(data())).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException | IOException e) {
      throw new TestkitException(name + " does not take the cluster's password", e);
    }
  }

  private void startNow() {
    writeSettings();
    ServerProcess started =
        ServerProcess.start(
            cluster.workspace(),
            new ServerProcess.Command(
                "PostgreSQL " + this,
                List.of(cluster.binaries().postgres().toString(), "-D", data().toString()),
                folder,
                folder.resolve("log"),
                Map.of("LC_ALL", "C", "TZ", "UTC"),
                true));
    life.begins(started);
    started.awaitReady(cluster.limit(), () -> status().equals("ready"));
  }

  /**
   * What the server says of itself in its pid file: {@code starting}, {@code ready}, {@code
   * standby} (not yet open for reads), {@code stopping}.
   */
  private String status() throws IOException {
    Path file = data().resolve("postmaster.pid");
    if (!Files.exists(file)) {
      return "";
    }
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    boolean own = !lines.isEmpty() && lines.get(0).strip().equals(Long.toString(pid()));
    return own && lines.size() >= 8 ? lines.get(7).strip() : "";
  }

  private void killNow() {
    if (life.kill()) {
      SharedMemory.removeSegment(data());
    }
  }

  private void stopNow() {
    if (life.end("INT", cluster.limit())) {
      SharedMemory.removeSegment(data());
    }
  }

  private void writeSettings() {
    StringBuilder text = new StringBuilder();
    settings.forEach(
        (key, value) ->
            text.append(key).append(" = '").append(value.replace("'", "''")).append("'\n"));
    try {
      Files.writeString(data().resolve(PostgresCluster.SETTINGS_FILE), text);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the settings of " + this, e);
    }
  }

  private void await(String what, Callable<Boolean> condition) {
    try {
      Eventually.within(cluster.limit()).until(name + ": " + what, condition);
    } catch (AssertionError e) {
      throw new TestkitException(name + ": not " + what + " within " + cluster.limit(), e);
    }
  }
}
