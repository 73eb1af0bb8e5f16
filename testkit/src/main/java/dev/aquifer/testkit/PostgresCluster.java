package dev.aquifer.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * A PostgreSQL primary and its streaming standbys: real servers on loopback, started for a test.
 *
 * <pre>{@code
 * try (PostgresCluster cluster = PostgresCluster.builder().standbys(2).start()) {
 *   cluster.createDatabase("shop");
 *   DataSource writes = cluster.primary().dataSource("shop");
 *   DataSource reads = cluster.standby(0).dataSource("shop");
 * }
 * }</pre>
 *
 * <p>Durability is off (fsync): the data are as safe as the operating system's memory, so a kill of
 * the server loses nothing that was committed. Connections need the password, which is random for
 * each cluster. Nothing is left behind: {@link #close} ends every process and deletes every file,
 * and so does the end of the JVM, whichever way it ends.
 *
 * <p>Thread-safe.
 */
public final class PostgresCluster implements AutoCloseable {
  static final String HOST = "127.0.0.1";
  static final String SETTINGS_FILE = "testkit.conf";

  private static final int MAX_STANDBYS = 3;
  private static final int START_ATTEMPTS = 5;
  private static final Pattern DATABASE = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
  private static final Pattern SETTING = Pattern.compile("[a-z_][a-z0-9_.]*");

  /** What the cluster itself sets for each node. */
  private static final Set<String> RESERVED =
      Set.of(
          "port",
          "listen_addresses",
          "unix_socket_directories",
          "data_directory",
          "config_file",
          "hba_file",
          "ident_file",
          "external_pid_file",
          "primary_conninfo",
          "cluster_name",
          "shared_memory_type",
          "dynamic_shared_memory_type",
          "logging_collector");

  private final Workspace workspace;
  private final PostgresBinaries binaries;
  private final Path folder;
  private final Duration limit;
  private final boolean ownIdentifier;
  private final Map<String, String> settings;
  private final String password = Secrets.password(new SecureRandom());
  private final List<PostgresNode> nodes = new CopyOnWriteArrayList<>();
  private final ReentrantLock growth = new ReentrantLock();
  private final AtomicBoolean closed = new AtomicBoolean();

  private PostgresCluster(Builder builder) {
    this.workspace = Workspace.get();
    this.binaries = PostgresBinaries.prepare(workspace);
    this.limit = builder.limit;
    this.ownIdentifier = builder.ownIdentifier;
    this.settings = new LinkedHashMap<>(builder.settings);
    this.folder = workspace.newFolder("postgres");
    workspace.closeAtEnd(this);
  }

  /** A primary without standbys, unless the builder is told otherwise. */
  public static Builder builder() {
    return new Builder();
  }

  /** The node made as the primary; it stays this one when another is promoted. */
  public PostgresNode primary() {
    return nodes.get(0);
  }

  /**
   * The node made as the i-th standby, from 0.
   *
   * @throws IndexOutOfBoundsException the cluster has fewer
   */
  public PostgresNode standby(int i) {
    if (i < 0 || i >= standbys()) {
      throw new IndexOutOfBoundsException(
          "standby " + i + " of a cluster with " + standbys() + " standbys");
    }
    return nodes.get(i + 1);
  }

  /** How many standbys were made. */
  public int standbys() {
    return nodes.size() - 1;
  }

  /** The primary, then the standbys; a snapshot. */
  public List<PostgresNode> nodes() {
    return List.copyOf(nodes);
  }

  /** The superuser: {@code aquifer}. */
  public String user() {
    return PostgresBinaries.USER;
  }

  /** The superuser's password, random for each cluster. */
  public String password() {
    return password;
  }

  /** A JDBC URL of a database on a node, without user and password. */
  public String url(PostgresNode node, String database) {
    return node.url(database);
  }

  /** A source of new, unpooled connections to a database on the primary, as the superuser. */
  public DataSource dataSource(String database) {
    return primary().dataSource(database);
  }

  /**
   * Creates an empty database on the primary and waits until the running standbys have it.
   *
   * @param database 1 to 63 of {@code [a-z0-9_]}, no digit first
   */
  public TestDatabase createDatabase(String database) {
    return createDatabase(database, "template1");
  }

  /** The same as a copy of another database, which nobody may be connected to meanwhile. */
  public TestDatabase createDatabase(String database, String template) {
    primary().execute("CREATE DATABASE " + checked(database) + " TEMPLATE " + checked(template));
    awaitCaughtUp(limit);
    return new TestDatabase(this, database);
  }

  /** Drops a database; connections to it are ended. One that is not there is fine. */
  public void dropDatabase(String database) {
    primary().execute("DROP DATABASE IF EXISTS " + checked(database) + " WITH (FORCE)");
  }

  /**
   * Waits until every standby that runs, is not paused, replays, and is still in recovery has
   * replayed what the primary has written by now.
   *
   * @throws TestkitException one has not within {@code limit}
   */
  public void awaitCaughtUp(Duration limit) {
    String lsn = primary().currentLsn();
    for (PostgresNode node : nodes.subList(1, nodes.size())) {
      if (node.isRunning() && !node.isPaused() && node.isReplaying()) {
        node.awaitReplay(lsn, limit);
      }
    }
  }

  /**
   * Makes one more standby of the running primary.
   *
   * @throws IllegalStateException there are three already, or the cluster is closed
   */
  public PostgresNode addStandby() {
    growth.lock();
    try {
      if (standbys() >= MAX_STANDBYS) {
        throw new IllegalStateException("a cluster has at most " + MAX_STANDBYS + " standbys");
      }
      String name = "standby" + nodes.size();
      PostgresNode node = startNode(name, copy -> BaseBackup.take(primary(), copy, name));
      nodes.add(node);
      return node;
    } finally {
      growth.unlock();
    }
  }

  /** Kills every server and deletes every file. Further calls do nothing. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    growth.lock();
    try {
      nodes.forEach(PostgresNode::kill);
      Folders.delete(folder);
    } finally {
      growth.unlock();
      workspace.closed(this);
    }
  }

  @Override
  public String toString() {
    return "PostgresCluster" + nodes;
  }

  Workspace workspace() {
    return workspace;
  }

  PostgresBinaries binaries() {
    return binaries;
  }

  Duration limit() {
    return limit;
  }

  private static String checked(String database) {
    if (!DATABASE.matcher(database).matches()) {
      throw new IllegalArgumentException(
          "database name '" + database + "' is not 1 to 63 of [a-z0-9_], no digit first");
    }
    return database;
  }

  private void startPrimary() {
    PostgresNode primary =
        startNode(
            "primary",
            data -> {
              if (ownIdentifier) {
                binaries.initialize(workspace, data);
              } else {
                Folders.copy(binaries.template(), data, path -> false);
              }
            });
    nodes.add(primary);
    primary.setPassword();
  }

  /** Starts a node on new data; on another port when somebody took the first one meanwhile. */
  private PostgresNode startNode(String name, Workspace.Filler data) {
    for (int attempt = 1; ; attempt++) {
      if (closed.get()) {
        throw new IllegalStateException("the cluster is closed");
      }
      int port = Ports.free();
      Path nodeFolder = folder.resolve(name);
      PostgresNode node = new PostgresNode(this, name, nodeFolder, port);
      try {
        Folders.spread(Files.createDirectories(nodeFolder));
        // Each database is a folder of some 300 files in this one.
        Folders.spread(Files.createDirectories(node.data().resolve("base")));
        data.fill(node.data());
        node.start(nodeSettings(name, port));
        return node;
      } catch (IOException e) {
        throw new TestkitException("the files of " + name + " cannot be made", e);
      } catch (TestkitException e) {
        node.kill();
        if (attempt == START_ATTEMPTS || Ports.isFree(port)) {
          throw e;
        }
        Folders.delete(nodeFolder);
      }
    }
  }

  private Map<String, String> nodeSettings(String name, int port) {
    Map<String, String> all = new LinkedHashMap<>(settings);
    all.put("port", Integer.toString(port));
    all.put("cluster_name", name);
    if (!nodes.isEmpty()) {
      all.put("primary_conninfo", primary().connectionInfo(name));
    }
    return all;
  }

  /** Settings of a cluster. Not thread-safe. */
  public static final class Builder {
    private int standbys;
    private boolean ownIdentifier;
    private Duration limit = Duration.ofSeconds(30);
    private final Map<String, String> settings = new LinkedHashMap<>();

    private Builder() {
      settings.put("listen_addresses", HOST);
      settings.put("unix_socket_directories", "");
      settings.put("max_connections", "200");
      settings.put("shared_buffers", "32MB");
      settings.put("fsync", "off");
      settings.put("wal_level", "replica");
      settings.put("hot_standby", "on");
      settings.put("max_wal_senders", "10");
      settings.put("wal_keep_size", "256MB");
      settings.put("wal_retrieve_retry_interval", "100ms");
      settings.put("io_method", "sync");
      settings.put("shared_memory_type", "mmap");
      settings.put("dynamic_shared_memory_type", "mmap");
      settings.put("logging_collector", "off");
      settings.put("log_timezone", "UTC");
      settings.put("timezone", "UTC");
    }

    /** How many standbys: 0 (the default) to 3. */
    public Builder standbys(int count) {
      if (count < 0 || count > MAX_STANDBYS) {
        throw new IllegalArgumentException(
            "standbys " + count + " is not between 0 and " + MAX_STANDBYS);
      }
      this.standbys = count;
      return this;
    }

    /**
     * A setting of {@code postgresql.conf} for every node, such as {@code "autovacuum", "off"}.
     *
     * @throws IllegalArgumentException no setting has such a name, or the cluster sets it itself
     */
    public Builder setting(String name, String value) {
      if (!SETTING.matcher(name).matches()) {
        throw new IllegalArgumentException("setting name '" + name + "' is not of [a-z0-9_.]");
      }
      if (RESERVED.contains(name)) {
        throw new IllegalArgumentException(
            "setting '" + name + "' is the cluster's own; it cannot be '" + value + "'");
      }
      if (value.indexOf('\n') >= 0 || value.indexOf('\\') >= 0) {
        throw new IllegalArgumentException("setting " + name + " has a line break or backslash");
      }
      settings.put(name, value);
      return this;
    }

    /**
     * Gives the cluster a system identifier of its own, which takes a second more: by default all
     * clusters are copies of one folder of data, and its identifier is theirs.
     */
    public Builder ownSystemIdentifier() {
      this.ownIdentifier = true;
      return this;
    }

    /** How long each step (a start, a stop, a promotion) may take: 30 s by default, 1 s or more. */
    public Builder limit(Duration limit) {
      if (limit.compareTo(Duration.ofSeconds(1)) < 0) {
        throw new IllegalArgumentException("limit " + limit + " is less than 1 s");
      }
      this.limit = limit;
      return this;
    }

    /**
     * Starts all nodes; they answer when this returns. If one does not start, all are ended.
     *
     * @throws TestkitException a node did not start; the end of its log is in the message
     */
    public PostgresCluster start() {
      PostgresCluster cluster = new PostgresCluster(this);
      try {
        cluster.startPrimary();
        for (int i = 0; i < standbys; i++) {
          cluster.addStandby();
        }
        return cluster;
      } catch (RuntimeException | Error e) {
        cluster.close();
        throw e;
      }
    }
  }
}
