package dev.aquifer.testkit;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import redis.embedded.RedisServer;
import redis.embedded.core.ExecutableProvider;
import redis.embedded.model.OsArchitecture;

/** The redis-server to start: the one a system property names, else the one on the class path. */
final class RedisBinary {
  /** System property that names another redis-server. */
  static final String PROPERTY = "aquifer.test.redis-server";

  private RedisBinary() {}

  static Path prepare(Workspace workspace) {
    String named = System.getProperty(PROPERTY, "").strip();
    if (!named.isEmpty()) {
      Path binary = Path.of(named).toAbsolutePath();
      if (!Files.isExecutable(binary)) {
        throw new TestkitException(
            "the property " + PROPERTY + " names " + binary + ", which cannot be executed");
      }
      return binary;
    }
    Platform.current();
    try {
      String resource =
          ExecutableProvider.newProvidedVersionsMap().get(OsArchitecture.detectOSandArchitecture());
      if (resource == null) {
        throw new FileNotFoundException("no redis-server for this platform is on the class path");
      }
      String file = resource.startsWith("/") ? resource.substring(1) : resource;
      return workspace.cached(file, folder -> extract(file, folder)).resolve("redis-server");
    } catch (IOException e) {
      throw new TestkitException(
          "the redis-server of the class path cannot be unpacked; name another by -D"
              + PROPERTY
              + "=…",
          e);
    }
  }

  private static void extract(String resource, Path folder) throws IOException {
    ClassLoader loader = RedisServer.class.getClassLoader();
    try (InputStream in = loader == null ? null : loader.getResourceAsStream(resource)) {
      if (in == null) {
        throw new FileNotFoundException(resource + " is not on the class path");
      }
      Path binary = folder.resolve("redis-server");
      Files.copy(in, binary, StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwx------"));
    }
  }
}
