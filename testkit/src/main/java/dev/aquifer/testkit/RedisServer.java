package dev.aquifer.testkit;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A real Redis server on loopback, started for a test, and what can go wrong with it.
 *
 * <pre>{@code
 * try (RedisServer redis = RedisServer.start()) {
 *   RedisClient client = RedisClient.create(redis.uri().toString());
 * }
 * }</pre>
 *
 * <p>Its program comes from the class path (Redis 6.2), or is the {@code redis-server} that the
 * system property {@code aquifer.test.redis-server} names. It keeps its data in memory only, so a
 * restart empties it, unless {@link Builder#persistent} says otherwise. Nothing is left behind:
 * {@link #close} ends the process and deletes its files, and so does the end of the JVM, whichever
 * way it ends. Thread-safe.
 */
public final class RedisServer implements AutoCloseable {
  private static final int START_ATTEMPTS = 5;

  private final Workspace workspace;
  private final Path binary;
  private final Path folder;
  private final Builder settings;
  private final ServerLife life = new ServerLife(this);
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile int port;

  private RedisServer(Builder settings) {
    this.workspace = Workspace.get();
    this.binary = RedisBinary.prepare(workspace);
    this.settings = settings;
    this.folder = workspace.newFolder("redis");
    workspace.closeAtEnd(this);
  }

  /** Starts a server with the defaults: a free port, no password. */
  public static RedisServer start() {
    return builder().start();
  }

  /** Settings of a server to start. */
  public static Builder builder() {
    return new Builder();
  }

  /** Always {@code 127.0.0.1}. */
  public String host() {
    return PostgresCluster.HOST;
  }

  /** The port it listens on whenever it runs. */
  public int port() {
    return port;
  }

  /** {@code redis://127.0.0.1:port}, with the password of the default user when one is set. */
  public URI uri() {
    return uri(0);
  }

  /** The same for one of its databases. */
  public URI uri(int database) {
    String user = settings.password.isEmpty() ? "" : ":" + settings.password + "@";
    String path = database == 0 ? "" : "/" + database;
    return URI.create("redis://" + user + host() + ":" + port + path);
  }

  /** Whether its process is there; a paused one is. */
  public boolean isRunning() {
    return life.isRunning();
  }

  /** Whether it is stopped by {@link #pause}. */
  public boolean isPaused() {
    return life.isPaused();
  }

  /** The id of its process. */
  public long pid() {
    return life.running().pid();
  }

  /** The version it reports, such as {@code 6.2.11}. */
  public String version() {
    return info("server", "redis_version");
  }

  /** Kills the server (SIGKILL); it is gone when this returns. */
  public void kill() {
    life.alone(life::kill);
  }

  /** Ends the server in order; clients see their connections closed. */
  public void stop() {
    life.alone(() -> life.end("TERM", settings.limit));
  }

  /**
   * Halts the server (SIGSTOP): connections stay open, new ones are taken by the operating system,
   * and nothing answers.
   */
  public void pause() {
    life.pause();
  }

  /** Lets a paused server go on. */
  public void resume() {
    life.resume();
  }

  /** Starts the server again on its port, after an orderly stop if it still runs. */
  public void restart() {
    life.alone(
        () -> {
          life.end("TERM", settings.limit);
          startNow();
        });
  }

  /** What the server holds now. */
  public RedisSnapshot snapshot() {
    command("SAVE");
    return RedisSnapshot.take(folder);
  }

  /** Kills the server, and starts it with what it held then: what was written since is lost. */
  public void restore(RedisSnapshot snapshot) {
    if (settings.persistent) {
      throw new IllegalStateException(this + " is persistent: it starts with what it wrote last");
    }
    life.alone(
        () -> {
          life.kill();
          snapshot.putBack(folder);
          startNow();
          RedisSnapshot.take(folder);
        });
  }

  /** Closes, on the server's side, every connection of clients and of subscribers. */
  public void flushConnections() {
    command("CLIENT", "KILL", "TYPE", "normal");
    command("CLIENT", "KILL", "TYPE", "pubsub");
  }

  /** How many clients are connected, subscribers included, the asking connection not. */
  public int connections() {
    return Integer.parseInt(info("clients", "connected_clients")) - 1;
  }

  /**
   * Sends one command over a connection of its own.
   *
   * @return a string, a {@code Long}, a list of these, or null for nil
   * @throws TestkitException the server does not answer, or with an error
   */
  public @Nullable Object command(String... command) {
    return commandIn(0, command);
  }

  /** The same in one of its databases. */
  @Nullable Object commandIn(int database, String... command) {
    try {
      return ask(database, List.of(command));
    } catch (IOException e) {
      throw new TestkitException(this + " failed at " + command[0] + " …: " + e.getMessage(), e);
    }
  }

  /** Kills the server and deletes its files. Further calls do nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      kill();
      Folders.delete(folder);
      workspace.closed(this);
    }
  }

  @Override
  public String toString() {
    return "Redis at " + host() + ":" + port;
  }

  /** One line of {@code INFO}. */
  String info(String section, String name) {
    Object text = command("INFO", section);
    return field(text, name);
  }

  private static String field(@Nullable Object info, String name) {
    return String.valueOf(info)
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst()
        .orElse("");
  }

  private @Nullable Object ask(int database, List<String> command) throws IOException {
    try (RespConnection connection = new RespConnection(port, settings.limit)) {
      if (!settings.password.isEmpty()) {
        connection.command(List.of("AUTH", settings.password));
      }
      if (database != 0) {
        connection.command(List.of("SELECT", Integer.toString(database)));
      }
      return connection.command(command);
    }
  }

  private void startFirst() {
    for (int attempt = 1; ; attempt++) {
      port = settings.port == 0 ? Ports.free() : settings.port;
      try {
        life.alone(this::startNow);
        return;
      } catch (TestkitException e) {
        if (settings.port != 0 || attempt == START_ATTEMPTS || Ports.isFree(port)) {
          throw e;
        }
      }
    }
  }

  private void startNow() {
    if (closed.get()) {
      throw new IllegalStateException(this + " is closed");
    }
    ServerProcess started =
        ServerProcess.start(
            workspace,
            new ServerProcess.Command(
                toString(), line(), folder, folder.resolve("log"), Map.of(), false));
    life.begins(started);
    String own = Long.toString(started.pid());
    // Another server on a port taken meanwhile answers too: ask who it is.
    started.awaitReady(
        settings.limit,
        () ->
            field(ask(0, List.of("INFO", "server")), "process_id").equals(own)
                && (settings.sentinel
                    || field(ask(0, List.of("INFO", "persistence")), "loading").equals("0")));
  }

  private List<String> line() {
    String configuration = RedisConfiguration.write(settings, folder, port).toString();
    return settings.sentinel
        ? List.of(binary.toString(), configuration, "--sentinel")
        : List.of(binary.toString(), configuration);
  }

  /** Settings of a server. Not thread-safe. */
  public static final class Builder {
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_.-]+");
    private static final Set<String> RESERVED =
        Set.of(
            "bind", "port", "dir", "daemonize", "requirepass", "appendonly", "databases", "save");

    private int port;
    int databases = 16;
    boolean persistent;
    boolean sentinel;
    String password = "";
    private Duration limit = Duration.ofSeconds(10);
    final List<String> lines = new ArrayList<>();

    private Builder() {}

    Builder(Builder other) {
      this.port = other.port;
      this.databases = other.databases;
      this.persistent = other.persistent;
      this.sentinel = other.sentinel;
      this.password = other.password;
      this.limit = other.limit;
      this.lines.addAll(other.lines);
    }

    /** A port instead of a free one; 0 (the default) finds one. */
    public Builder port(int port) {
      if (port < 0 || port > 65_535) {
        throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
      }
      this.port = port;
      return this;
    }

    /** A password for the default user, of {@code [A-Za-z0-9_.-]}; none by default. */
    public Builder password(String password) {
      if (!WORD.matcher(password).matches()) {
        throw new IllegalArgumentException("the password is not of [A-Za-z0-9_.-]");
      }
      this.password = password;
      return this;
    }

    /**
     * A further user.
     *
     * @param rules what the user may do, in Redis' words: {@code "~aq:* &* +@all"}
     */
    public Builder user(String name, String password, String rules) {
      if (!WORD.matcher(name).matches() || !WORD.matcher(password).matches()) {
        throw new IllegalArgumentException(
            "user '" + name + "' or its password is not of [A-Za-z0-9_.-]");
      }
      lines.add("user " + name + " on >" + password + " " + line(rules));
      return this;
    }

    /** The memory it may use, in bytes; at least 1 MiB, unlimited by default. */
    public Builder maxMemory(long bytes) {
      if (bytes < 1 << 20) {
        throw new IllegalArgumentException("maxMemory " + bytes + " is less than 1048576 bytes");
      }
      return setting("maxmemory", Long.toString(bytes));
    }

    /** How many numbered databases it has: 16 by default. */
    public Builder databases(int count) {
      if (count < 1) {
        throw new IllegalArgumentException("databases " + count + " is less than 1");
      }
      this.databases = count;
      return this;
    }

    /** Keeps the data over restarts and kills: each write is in a file before it is answered. */
    public Builder persistent() {
      this.persistent = true;
      return this;
    }

    /**
     * A line of {@code redis.conf}.
     *
     * @throws IllegalArgumentException the setting is the server's own, or not one line
     */
    public Builder setting(String name, String value) {
      if (!WORD.matcher(name).matches() || RESERVED.contains(name)) {
        throw new IllegalArgumentException(
            "setting '" + name + "' is not a name, or one the server sets itself");
      }
      lines.add(name + " " + line(value));
      return this;
    }

    /** A sentinel, which watches servers and holds no data. */
    Builder sentinel() {
      this.sentinel = true;
      return this;
    }

    /** How long a start, a stop or an answer may take: 10 s by default, 100 ms or more. */
    public Builder limit(Duration limit) {
      if (limit.compareTo(Duration.ofMillis(100)) < 0) {
        throw new IllegalArgumentException("limit " + limit + " is less than 100 ms");
      }
      this.limit = limit;
      return this;
    }

    /**
     * Starts the server; it answers when this returns.
     *
     * @throws TestkitException it did not start; the end of its log is in the message
     */
    public RedisServer start() {
      RedisServer server = new RedisServer(new Builder(this));
      try {
        server.startFirst();
        return server;
      } catch (RuntimeException | Error e) {
        server.close();
        throw e;
      }
    }

    private static String line(String text) {
      if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0) {
        throw new IllegalArgumentException("a setting's value has a line break");
      }
      return text;
    }
  }
}
