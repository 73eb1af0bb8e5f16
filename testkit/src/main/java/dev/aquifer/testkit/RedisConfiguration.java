package dev.aquifer.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** The {@code redis.conf} of a server. */
final class RedisConfiguration {
  private RedisConfiguration() {}

  /** Writes it, readable for its owner alone: it may hold passwords. */
  static Path write(RedisServer.Builder settings, Path folder, int port) {
    List<String> lines = new ArrayList<>();
    lines.add("bind 127.0.0.1");
    lines.add("port " + port);
    lines.add("dir \"" + folder + "\"");
    lines.add("daemonize no");
    if (!settings.sentinel) {
      lines.add("save \"\"");
      lines.add("databases " + settings.databases);
      lines.add("appendonly " + (settings.persistent ? "yes" : "no"));
      lines.add("appendfsync no");
    }
    if (!settings.password.isEmpty()) {
      lines.add("requirepass " + settings.password);
    }
    lines.addAll(settings.lines);
    Path file = folder.resolve("redis.conf");
    try {
      Files.deleteIfExists(file);
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      return Files.write(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
