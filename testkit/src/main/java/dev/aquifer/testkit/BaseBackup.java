package dev.aquifer.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/**
 * The data of a running server, as those of a standby to be: {@code pg_backup_start}, a copy of the
 * data folder without what belongs to the running process, {@code pg_backup_stop}, whose label goes
 * into the copy, and {@code standby.signal}. The log since the start of the backup is not copied:
 * the standby streams it.
 */
final class BaseBackup {
  /** Folders whose contents belong to the running server, not to its data. */
  private static final Set<String> NOT_COPIED =
      Set.of(
          "pg_wal",
          "pg_replslot",
          "pg_dynshmem",
          "pg_notify",
          "pg_serial",
          "pg_snapshots",
          "pg_stat_tmp",
          "pg_subtrans");

  private static final Path CONTROL_FILE = Path.of("global", "pg_control");

  private BaseBackup() {}

  static void take(PostgresNode source, Path copy, String label) throws IOException {
    try (Connection connection = source.dataSource("postgres").getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_backup_start('" + label + "', true)");
      Path from = source.data();
      Folders.copy(from, copy, BaseBackup::isNotCopied);
      // Last, for it says up to where the copy is known to be good.
      Files.copy(from.resolve(CONTROL_FILE), copy.resolve(CONTROL_FILE));
      try (ResultSet rows = statement.executeQuery("SELECT labelfile FROM pg_backup_stop(false)")) {
        rows.next();
        Files.writeString(copy.resolve("backup_label"), rows.getString(1));
      }
      Files.createFile(copy.resolve("standby.signal"));
    } catch (SQLException e) {
      throw new TestkitException("no base backup of " + source + ": " + e.getMessage(), e);
    }
  }

  private static boolean isNotCopied(Path path) {
    String file = path.getFileName().toString();
    return path.equals(CONTROL_FILE)
        || (path.getParent() != null && NOT_COPIED.contains(path.getName(0).toString()))
        || file.startsWith("postmaster.")
        || file.startsWith("pgsql_tmp")
        || file.equals("pg_internal.init")
        || file.equals("backup_label");
  }
}
