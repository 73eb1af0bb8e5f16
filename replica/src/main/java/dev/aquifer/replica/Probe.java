package dev.aquifer.replica;

import dev.aquifer.Position;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Asks one node how it is, over a connection of its own beside the pool, one query a time and
 * within a limit. Confined to the node's monitor thread.
 *
 * <p>The timeline of a primary is read from the name of its current log file: for a while after a
 * promotion the control file still tells the old one. A standby's is that of what it receives. The
 * log position is the flushed one: the insert position may point past a page header that no replica
 * ever replays. Only where commits are acknowledged before they are flushed (synchronous_commit is
 * off for the user, the database or the server) is it that one, less such a header.
 */
final class Probe implements AutoCloseable {
  private static final String QUERY =
      """
      SELECT s.recovering,
             c.system_identifier,
             CASE WHEN s.recovering
                  THEN coalesce((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver),
                                (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))
                  ELSE ('x' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int
             END,
             coalesce(CASE WHEN s.recovering THEN pg_catalog.pg_last_wal_replay_lsn()
                           WHEN s.asynchronous THEN pg_catalog.pg_current_wal_insert_lsn()
                           ELSE pg_catalog.pg_current_wal_flush_lsn() END, '0/0')::text,
             CASE WHEN s.asynchronous AND NOT s.recovering
                  THEN pg_catalog.current_setting('wal_block_size')::bigint ELSE 0 END,
             pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))
        FROM (SELECT pg_catalog.pg_is_in_recovery() AS recovering,
                     pg_catalog.current_setting('synchronous_commit') = 'off' AS asynchronous) s,
             pg_catalog.pg_control_system() c
      """;

  private static final int PAGE_HEADER = 24;
  private static final int SEGMENT_HEADER = 40;

  /** What a node said: whether it recovers, and how far it is. */
  record Answer(boolean recovering, Position position, long begun, long ended) {}

  private final ReplicaSetSettings.NodeSettings node;
  private final Duration limit;
  private @Nullable Connection connection;
  private @Nullable PreparedStatement query;

  Probe(ReplicaSetSettings.NodeSettings node, Duration limit) {
    this.node = node;
    this.limit = limit;
  }

  /**
   * One question and its answer.
   *
   * @param connectLimit for the connection, if there is none yet
   */
  Answer ask(Duration connectLimit) throws SQLException {
    PreparedStatement prepared = query == null ? connect(connectLimit) : query;
    try {
      long begun = System.nanoTime();
      try (ResultSet row = prepared.executeQuery()) {
        row.next();
        long lsn = Position.parseLsn(row.getString(4));
        long block = row.getLong(5);
        Position position =
            new Position(
                row.getLong(2),
                row.getInt(3),
                block == 0 ? lsn : lastRecordEnd(lsn, block, row.getLong(6)));
        return new Answer(row.getBoolean(1), position, begun, System.nanoTime());
      }
    } catch (SQLException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Where the last record ended, when nothing but a header may follow it. */
  static long lastRecordEnd(long inserted, long block, long segment) {
    if (Long.remainderUnsigned(inserted, segment) == SEGMENT_HEADER) {
      return inserted - SEGMENT_HEADER;
    }
    return Long.remainderUnsigned(inserted, block) == PAGE_HEADER
        ? inserted - PAGE_HEADER
        : inserted;
  }

  boolean isConnected() {
    return connection != null;
  }

  private PreparedStatement connect(Duration connectLimit) throws SQLException {
    Properties properties = node.login().properties(node.pool(), "aquifer-probe");
    // The driver knows whole seconds only here; the finer limits are set beside these.
    properties.setProperty("connectTimeout", "1");
    properties.setProperty("socketTimeout", "1");
    properties.setProperty("cancelSignalTimeout", "1");
    properties.setProperty("loginTimeout", Double.toString(connectLimit.toMillis() / 1000.0));
    Connection opened = DriverManager.getConnection(node.pool().url(), properties);
    try {
      opened.setNetworkTimeout(Runnable::run, (int) Math.max(1, limit.toMillis()));
      PreparedStatement prepared = opened.prepareStatement(QUERY);
      connection = opened;
      query = prepared;
      return prepared;
    } catch (SQLException e) {
      opened.abort(Runnable::run);
      throw e;
    }
  }

  /** Drops the connection without asking the server, which may not answer. */
  @Override
  public void close() {
    Connection current = connection;
    connection = null;
    query = null;
    if (current != null) {
      try {
        current.abort(Runnable::run);
      } catch (SQLException e) {
        // Nothing is left to be closed.
        return;
      }
    }
  }
}
