package dev.aquifer.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a {@link RedisServer} held at a moment. Immutable. */
public final class RedisSnapshot {
  private static final String FILE = "dump.rdb";

  private final byte[] dump;

  private RedisSnapshot(byte[] dump) {
    this.dump = dump;
  }

  /** Takes the server's file away, or its next start would read it. */
  static RedisSnapshot take(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      RedisSnapshot snapshot = new RedisSnapshot(Files.readAllBytes(file));
      Files.delete(file);
      return snapshot;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot take " + file, e);
    }
  }

  /** The next start reads it. */
  void putBack(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      Files.write(file, dump);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
