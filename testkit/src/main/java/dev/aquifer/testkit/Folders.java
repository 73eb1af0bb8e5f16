package dev.aquifer.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whole folders: copied and deleted while a server may still be changing them. */
final class Folders {
  private static final Logger LOG = LoggerFactory.getLogger(Folders.class);
  private static final Duration SPREAD_LIMIT = Duration.ofSeconds(2);

  private Folders() {}

  /** Deletes a folder and all in it. What vanishes meanwhile, and a folder not there, are fine. */
  static void delete(Path folder) {
    for (int attempt = 0; Files.exists(folder); attempt++) {
      try {
        Files.walkFileTree(folder, new Delete());
      } catch (NoSuchFileException e) {
        // Somebody else deletes it too: look again.
      } catch (IOException e) {
        // A dying server may add a file between the listing and the removal of its folder.
        if (attempt >= 20) {
          throw new UncheckedIOException("cannot delete " + folder, e);
        }
      }
    }
  }

  /**
   * Copies the tree below {@code from} to {@code to}, with the files' permissions. A path, relative
   * to {@code from}, that {@code excluded} accepts is left out with all below it; files that vanish
   * while the copy runs are left out too.
   */
  static void copy(Path from, Path to, Predicate<Path> excluded) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            Path relative = from.relativize(folder);
            if (excluded.test(relative)) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Path target = to.resolve(relative.toString());
            Files.createDirectories(target);
            Files.setPosixFilePermissions(target, Files.getPosixFilePermissions(folder));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Path relative = from.relativize(file);
            if (!excluded.test(relative)) {
              copyFile(file, to.resolve(relative.toString()));
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            return onFailure(failure);
          }
        });
  }

  private static void copyFile(Path file, Path target) throws IOException {
    try {
      Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
    } catch (NoSuchFileException e) {
      onFailure(e);
    }
  }

  /**
   * Asks the file system to place the folders made in this one far from each other. Without it ext4
   * puts new files where others were just deleted, and looks at each place that it may not use
   * again yet: a server's folder then takes ten times as long to make when another one was deleted
   * a moment ago. Other file systems have no such mark; there it changes nothing.
   */
  static void spread(Path folder) {
    Optional<Path> chattr = Platform.onPath("chattr");
    if (chattr.isEmpty()) {
      return;
    }
    try {
      new ProcessBuilder(chattr.get().toString(), "+T", folder.toString())
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor(SPREAD_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (IOException e) {
      LOG.debug("{} is not marked", folder, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** How many files, links and folders are below a folder; -1 when it is not there. */
  static long count(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return -1;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.count();
    }
  }

  private static FileVisitResult onFailure(IOException failure) throws IOException {
    if (failure instanceof NoSuchFileException) {
      return FileVisitResult.CONTINUE;
    }
    throw failure;
  }

  private static final class Delete extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
      return onFailure(failure);
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
        throws IOException {
      Files.deleteIfExists(folder);
      return FileVisitResult.CONTINUE;
    }
  }
}
