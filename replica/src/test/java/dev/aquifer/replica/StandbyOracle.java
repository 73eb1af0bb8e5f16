package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Runs statements on a real standby, each in a transaction of its own, and tells what came of it:
 * whether the standby refused, and if not, what the session held that it did not hold before. Locks
 * beyond AccessShare, advisory locks, settings, prepared statements, cursors, channels and exported
 * snapshots are looked at.
 */
final class StandbyOracle implements AutoCloseable {
  enum Verdict {
    /** A standby may answer it: it ran and left no trace. */
    HARMLESS,
    /** The standby said that it needs a primary. */
    REFUSED,
    /** It ran, and the session holds something now. */
    LEFT_A_TRACE,
    /** It failed for another reason, as it would on the primary. */
    FAILED,
    /** It would take the server down, or touch the machine's files: not run. */
    NOT_RUN
  }

  private static final Pattern TOO_DANGEROUS =
      Pattern.compile(
          "pg_promote|pg_terminate_backend|pg_cancel_backend|pg_wal_replay|pg_reload_conf|pg_rotate_logfile"
              + "|lo_export|program\\s|pg_file_write",
          Pattern.CASE_INSENSITIVE);

  private static final String TRACE =
      """
      SELECT concat_ws(' ',
        (SELECT string_agg(locktype || '-' || mode, ',' ORDER BY 1) FROM pg_catalog.pg_locks
          WHERE pid = pg_catalog.pg_backend_pid() AND mode <> 'AccessShareLock'
            AND locktype <> 'virtualxid'),
        (SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_catalog.pg_settings
          WHERE source = 'session'),
        current_setting('app.tenant', true), current_setting('a.b', true),
        (SELECT count(*) FROM pg_catalog.pg_prepared_statements WHERE from_sql),
        (SELECT count(*) FROM pg_catalog.pg_cursors),
        (SELECT count(*) FROM pg_catalog.pg_listening_channels()),
        (SELECT count(*) FROM pg_catalog.pg_ls_dir('pg_snapshots')))
      """;

  private final DataSource standby;
  private @Nullable Connection connection;
  private String untouched = "";

  StandbyOracle(DataSource standby) {
    this.standby = standby;
  }

  /** Runs it; the session is a new one whenever the last one is not as it was. */
  Verdict judge(String sql) throws SQLException {
    if (TOO_DANGEROUS.matcher(sql).find()) {
      return Verdict.NOT_RUN;
    }
    Connection open = open();
    try (Statement statement = open.createStatement()) {
      statement.setEscapeProcessing(false);
      boolean rows = statement.execute(sql);
      while (rows || statement.getUpdateCount() >= 0) {
        rows = statement.getMoreResults();
      }
      boolean same = trace(open).equals(untouched);
      open.rollback();
      if (same && trace(open).equals(untouched)) {
        open.rollback();
        return Verdict.HARMLESS;
      }
      close();
      return Verdict.LEFT_A_TRACE;
    } catch (SQLException e) {
      close();
      return isRefused(e) ? Verdict.REFUSED : Verdict.FAILED;
    }
  }

  private static boolean isRefused(SQLException error) {
    String message = String.valueOf(error.getMessage());
    return Failures.isRefusedByStandby(error) || message.contains("read-only transaction");
  }

  private Connection open() throws SQLException {
    Connection current = connection;
    if (current == null) {
      current = standby.getConnection();
      current.setAutoCommit(false);
      connection = current;
      try (Statement statement = current.createStatement()) {
        statement.execute("SET statement_timeout = '5s'; SET lock_timeout = '1s'; COMMIT");
      }
      untouched = trace(current);
      current.rollback();
    }
    return current;
  }

  private static String trace(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(TRACE)) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public void close() throws SQLException {
    Connection current = connection;
    connection = null;
    if (current != null) {
      current.close();
    }
  }
}
