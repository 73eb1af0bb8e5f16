package dev.aquifer.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** An InfluxDB that the kit starts itself, on loopback, with nothing kept. */
final class InfluxProcess {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration VERSION_LIMIT = Duration.ofSeconds(10);
  private static final int START_ATTEMPTS = 5;
  private static final Pattern VERSION = Pattern.compile("InfluxDB v?(\\d+)\\.\\d+\\S*");

  private final Workspace workspace = Workspace.get();
  private final Path binary;
  private final InfluxServer.Kind kind;
  private final Path folder;
  private final ReentrantLock lock = new ReentrantLock();
  private int port;
  private volatile @Nullable ServerProcess process;
  private volatile boolean paused;

  InfluxProcess(Path binary, InfluxServer.Kind kind) {
    this.binary = binary;
    this.kind = kind;
    this.folder = workspace.newFolder("influx");
  }

  /** What a binary says of itself: {@code 1.6.7}; empty when it is none that the kit can start. */
  static String versionOf(Path binary) {
    try {
      Process run =
          new ProcessBuilder(binary.toString(), "version").redirectErrorStream(true).start();
      if (!run.waitFor(VERSION_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        run.destroyForcibly();
        return "";
      }
      String text = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      Matcher matcher = VERSION.matcher(text);
      return matcher.find() ? matcher.group().replaceFirst("InfluxDB v?", "") : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  int port() {
    return port;
  }

  void startFirst() {
    for (int attempt = 1; ; attempt++) {
      port = Ports.free();
      try {
        locked(this::startNow);
        return;
      } catch (TestkitException e) {
        if (attempt == START_ATTEMPTS || Ports.isFree(port)) {
          throw e;
        }
      }
    }
  }

  void restart() {
    locked(
        () -> {
          ServerProcess current = process;
          if (current != null && paused) {
            current.resume();
          }
          if (current != null) {
            current.end("TERM", LIMIT);
          }
          startNow();
        });
  }

  void kill() {
    locked(
        () -> {
          ServerProcess current = process;
          if (current != null) {
            current.kill();
          }
          paused = false;
        });
  }

  void pause() {
    locked(
        () -> {
          running().pause();
          paused = true;
        });
  }

  void resume() {
    locked(
        () -> {
          running().resume();
          paused = false;
        });
  }

  boolean isAlive() {
    ServerProcess current = process;
    return current != null && current.isAlive();
  }

  long pid() {
    return running().pid();
  }

  void deleteFiles() {
    Folders.delete(folder);
  }

  private void startNow() {
    paused = false;
    ServerProcess started =
        ServerProcess.start(
            workspace,
            new ServerProcess.Command(
                "InfluxDB " + kind + " at 127.0.0.1:" + port,
                command(),
                folder,
                folder.resolve("log"),
                Map.of("HOME", folder.toString(), "INFLUXD_CONFIG_PATH", folder.toString()),
                false));
    process = started;
    InfluxHttp http = new InfluxHttp("http://127.0.0.1:" + port, "");
    started.awaitReady(LIMIT, () -> http.version().isPresent());
  }

  private List<String> command() {
    return switch (kind) {
      case V1 -> commandV1();
      case V2 -> commandV2();
      case V3 -> commandV3();
    };
  }

  private List<String> commandV1() {
    String text =
        """
        reporting-disabled = true
        reporting-enabled = false
        bind-address = "127.0.0.1:%d"
        [meta]
          dir = "%s/meta"
        [data]
          dir = "%s/data"
          wal-dir = "%s/wal"
          query-log-enabled = false
        [monitor]
          store-enabled = false
        [http]
          bind-address = "127.0.0.1:%d"
          log-enabled = false
          flux-enabled = true
        """
            .formatted(Ports.free(), folder, folder, folder, port);
    Path file = folder.resolve("influxdb.conf");
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
    return List.of(binary.toString(), "run", "-config", file.toString());
  }

  private List<String> commandV2() {
    return List.of(
        binary.toString(),
        "--http-bind-address=127.0.0.1:" + port,
        "--bolt-path=" + folder.resolve("influxd.bolt"),
        "--sqlite-path=" + folder.resolve("influxd.sqlite"),
        "--engine-path=" + folder.resolve("engine"),
        "--reporting-disabled",
        "--log-level=warn");
  }

  private List<String> commandV3() {
    return List.of(
        binary.toString(),
        "serve",
        "--node-id=aquifer",
        "--object-store=file",
        "--data-dir=" + folder.resolve("data"),
        "--http-bind=127.0.0.1:" + port,
        "--without-auth",
        // Each write waits for it; a second by default.
        "--wal-flush-interval=10ms",
        // While 3.6 moves points to its files, answers lack some of them for a moment: not in
        // tests.
        "--wal-snapshot-size=1000000",
        "--disable-telemetry-upload");
  }

  private ServerProcess running() {
    ServerProcess current = process;
    if (current == null || !current.isAlive()) {
      throw new TestkitException("InfluxDB is not running; call restart() first");
    }
    return current;
  }

  private void locked(Runnable action) {
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }
}
