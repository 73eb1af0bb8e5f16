package dev.aquifer.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder that everything this JVM starts lives in, and what makes sure that nothing of it
 * outlives the JVM.
 *
 * <p>Below a base folder, private to the user, are {@code cache} (unpacked binaries and templates,
 * kept from run to run) and {@code run/<pid>-<random>}, one a JVM. Every server's process writes
 * its own id into {@code pids} of the run folder before it becomes the server. Three things end
 * what is listed there and delete the run folder:
 *
 * <ol>
 *   <li>the JVM, in a shutdown hook;
 *   <li>a watchdog: a shell that blocks on a pipe from this JVM. When the JVM is gone, however it
 *       went, the pipe closes. A process that starts after the watchdog has done its work finds no
 *       run folder to write its id into, and ends;
 *   <li>the next JVM that starts a server, should both have been killed. A run folder's owner holds
 *       a lock on a file in it, which the operating system frees when the process ends.
 * </ol>
 *
 * <p>One a JVM, because the JVM's end is what it waits for. Thread-safe.
 */
final class Workspace {
  /** System property that names another base folder. */
  static final String DIRECTORY = "aquifer.test.directory";

  private static final Logger LOG = LoggerFactory.getLogger(Workspace.class);
  private static final Duration LOCK_LIMIT = Duration.ofMinutes(2);
  private static final Duration NOTE_TOLERANCE = Duration.ofSeconds(5);
  private static final ReentrantLock CREATION = new ReentrantLock();
  private static @Nullable Workspace instance;

  private final Path base;
  private final Path run;
  private final FileChannel ownership;
  private final Process watchdog;
  private final OutputStream watchdogPipe;
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

  private Workspace(Path base) throws IOException {
    this.base = base;
    Path runs = Files.createDirectories(base.resolve("run"));
    // Held while run folders come and go, so that no JVM takes a new folder for a deserted one.
    Path gateFile = base.resolve("run.lock");
    try (FileChannel gate = openLock(gateFile)) {
      lock(gate, gateFile);
      sweep(runs);
      Folders.spread(runs);
      this.run =
          Files.createDirectory(runs.resolve(ProcessHandle.current().pid() + "-" + random()));
      Folders.spread(run);
      Files.createDirectory(run.resolve("pids"));
      this.ownership = openLock(run.resolve("lock"));
      if (ownership.tryLock() == null) {
        throw new IOException("the new folder " + run + " is locked by another process");
      }
    }
    this.watchdog = startWatchdog(base, run);
    this.watchdogPipe = watchdog.getOutputStream();
    Runtime.getRuntime()
        .addShutdownHook(new Thread(this::endEverything, "aquifer-testkit-shutdown"));
  }

  static Workspace get() {
    CREATION.lock();
    try {
      if (instance == null) {
        instance = new Workspace(baseFolder());
      }
      return instance;
    } catch (IOException e) {
      throw new TestkitException("cannot make a folder for test servers below " + baseName(), e);
    } finally {
      CREATION.unlock();
    }
  }

  private static Path baseName() {
    String named = System.getProperty(DIRECTORY);
    if (named != null && !named.isBlank()) {
      return Path.of(named).toAbsolutePath();
    }
    String user = System.getProperty("user.name", "user").replaceAll("[^A-Za-z0-9_.-]", "_");
    return Path.of(System.getProperty("java.io.tmpdir"), "aquifer-testkit-" + user)
        .toAbsolutePath();
  }

  /** The base folder, refused when another user could have put binaries into it. */
  private static Path baseFolder() throws IOException {
    Path base = baseName();
    Files.createDirectories(
        base, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path probe = Files.createTempFile(base, "owner", null);
    boolean own = Files.getOwner(probe).equals(Files.getOwner(base));
    Files.delete(probe);
    if (!own || Files.isSymbolicLink(base)) {
      throw new IOException(
          base + " belongs to another user; name another folder by -D" + DIRECTORY + "=…");
    }
    return base;
  }

  /** A new, empty folder of this JVM. */
  Path newFolder(String kind) {
    try {
      Path folder = Files.createDirectory(run.resolve(kind + "-" + random()));
      Folders.spread(folder);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a folder below " + run, e);
    }
  }

  long watchdogPid() {
    return watchdog.pid();
  }

  Path runFolder() {
    return run;
  }

  /** Whether this JVM runs as root: then PostgreSQL needs its user hidden. */
  boolean ownedByRoot() {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(run, "unix:uid"));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the owner of " + run, e);
    }
  }

  /** Servers open at the JVM's end are closed there. */
  void closeAtEnd(AutoCloseable server) {
    open.add(server);
  }

  void closed(AutoCloseable server) {
    open.remove(server);
  }

  /**
   * A folder kept from run to run, filled once by whichever JVM is first. It is filled beside its
   * place and moved there, and checked for files that went missing since (cleaners of temporary
   * folders take them one by one).
   */
  Path cached(String name, Filler filler) throws IOException {
    Path cache = Files.createDirectories(base.resolve("cache"));
    Path target = cache.resolve(name);
    Path complete = cache.resolve(name + ".files");
    if (isComplete(target, complete)) {
      return target;
    }
    Path lockFile = cache.resolve(name + ".lock");
    CREATION.lock();
    try (FileChannel channel = openLock(lockFile)) {
      lock(channel, lockFile);
      if (!isComplete(target, complete)) {
        Path half = cache.resolve(name + ".half");
        Folders.delete(half);
        Folders.delete(target);
        Folders.spread(Files.createDirectory(half));
        filler.fill(half);
        Files.move(half, target);
        Files.writeString(complete, Long.toString(Folders.count(target)));
      }
      return target;
    } finally {
      CREATION.unlock();
    }
  }

  private static boolean isComplete(Path folder, Path complete) throws IOException {
    return Files.exists(complete)
        && Files.readString(complete).equals(Long.toString(Folders.count(folder)));
  }

  private static FileChannel openLock(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /** Waits for the lock on a file; closing the channel frees it. */
  private static void lock(FileChannel channel, Path file) throws IOException {
    long start = System.nanoTime();
    while (System.nanoTime() - start < LOCK_LIMIT.toNanos()) {
      try {
        if (channel.tryLock() != null) {
          return;
        }
      } catch (OverlappingFileLockException e) {
        // Held by another class loader's copy of this class.
        LOG.trace("{} is held in this JVM", file, e);
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
    throw new IOException(
        "the lock " + file + " was not free within " + LOCK_LIMIT + "; does a JVM hang?");
  }

  private static String random() {
    byte[] bytes = new byte[4];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static Process startWatchdog(Path base, Path run) throws IOException {
    String script;
    try (InputStream in = Workspace.class.getResourceAsStream("watchdog.sh")) {
      if (in == null) {
        throw new IOException("watchdog.sh is missing beside " + Workspace.class.getName());
      }
      script = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    List<String> command =
        Stream.concat(
                Platform.onPath("setsid").map(Path::toString).stream(),
                Stream.of("/bin/sh", "-c", script, "aquifer-testkit-watchdog", run.toString()))
            .toList();
    return new ProcessBuilder(command)
        .directory(base.toFile())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private void endEverything() {
    for (AutoCloseable server : open) {
      try {
        server.close();
      } catch (Exception e) {
        LOG.warn("{} could not be closed at the end of the JVM", server, e);
      }
    }
    try {
      // The watchdog sees the end of its input, kills what may be left, deletes the folder.
      watchdogPipe.close();
      if (!watchdog.waitFor(10, TimeUnit.SECONDS)) {
        LOG.warn("the watchdog, process {}, did not end", watchdog.pid());
      }
      ownership.close();
    } catch (IOException e) {
      LOG.warn("the end of {} failed", run, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends what JVMs left behind that were killed together with their watchdogs. */
  private static void sweep(Path runs) throws IOException {
    List<Path> folders;
    try (Stream<Path> list = Files.list(runs)) {
      folders = list.toList();
    }
    String own = ProcessHandle.current().pid() + "-";
    for (Path folder : folders) {
      Path lockFile = folder.resolve("lock");
      // Closing any channel of a file frees the process's lock on it: never open one's own.
      if (folder.getFileName().toString().startsWith(own) && Files.exists(lockFile)) {
        continue;
      }
      try (FileChannel channel = openLock(lockFile)) {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          LOG.info("clearing {} that an earlier JVM left behind", folder);
          killListed(folder.resolve("pids"));
          SharedMemory.removeSegmentsBelow(folder);
          Folders.delete(folder);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("cannot clear {}, left behind by an earlier JVM", folder, e);
      }
    }
  }

  private static void killListed(Path pids) throws IOException {
    if (!Files.isDirectory(pids)) {
      return;
    }
    List<Path> files;
    try (Stream<Path> list = Files.list(pids)) {
      files = list.toList();
    }
    for (Path file : files) {
      Instant noted = Files.getLastModifiedTime(file).toInstant();
      ProcessHandle.of(Long.parseLong(file.getFileName().toString()))
          .filter(process -> startedAt(process, noted))
          .ifPresent(Processes::killTree);
    }
  }

  /**
   * Whether a process is the one that wrote the note: it did so at its start. Another process may
   * have got the number since, or have it in another container that shares the folder.
   */
  private static boolean startedAt(ProcessHandle process, Instant noted) {
    return process
        .info()
        .startInstant()
        .filter(start -> Duration.between(start, noted).abs().compareTo(NOTE_TOLERANCE) <= 0)
        .isPresent();
  }

  /** Fills a new folder. */
  @FunctionalInterface
  interface Filler {
    void fill(Path folder) throws IOException;
  }
}
