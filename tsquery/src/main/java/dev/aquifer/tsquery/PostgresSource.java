package dev.aquifer.tsquery;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a PostgreSQL backend reads, told apart from all else: the cluster, by the identifier that it
 * was made with and that its standbys have too, the database, and how the table is read. Asked of
 * the server once, at the first use; thread-safe, and nobody waits for another who asks.
 */
final class PostgresSource {
  private static final String WHICH =
      "SELECT (SELECT system_identifier FROM pg_control_system())::text, current_database()::text,"
          + " current_schemas(false)::text";
  private static final long AGAIN = Duration.ofSeconds(10).toNanos();
  private static final Logger LOG = LoggerFactory.getLogger(PostgresSource.class);

  private final ReadTransactions transactions;
  private final String name;
  private final int seconds;
  private final ReentrantLock asking = new ReentrantLock();
  private volatile @Nullable Which which;

  // Guarded by the lock.
  private @Nullable Long failedAt;

  /**
   * Which database it is.
   *
   * @param schemas in which tables without one are found
   */
  private record Which(String cluster, String database, String schemas) {}

  /**
   * @param name of the backend, for the log
   * @param seconds that the statement may take
   */
  PostgresSource(ReadTransactions transactions, String name, int seconds) {
    this.transactions = transactions;
    this.name = name;
    this.seconds = seconds;
  }

  /** Of the table as it is read; null: the server does not say, which is logged once. */
  @Nullable String of(SeriesTable table) {
    Which known = which == null ? ask() : which;
    if (known == null) {
      return null;
    }
    String schema = table.schema();
    Canonical text =
        new Canonical()
            .text(known.cluster)
            .text(known.database)
            .text(schema == null ? "in " + known.schemas : "is " + schema)
            .text(table.table())
            .text(table.time())
            .value(table.timeHasZone())
            .text(table.tenant());
    new TreeMap<>(table.tags()).forEach((tag, column) -> text.text(tag).text(column));
    new TreeMap<>(table.fields())
        .forEach((field, of) -> text.text(field).text(of.column()).text(of.kind().name()));
    return text.digest();
  }

  private @Nullable Which ask() {
    if (!asking.tryLock()) {
      return null;
    }
    try {
      Long failed = failedAt;
      if (which == null && (failed == null || System.nanoTime() - failed >= AGAIN)) {
        which = read();
      }
    } catch (SQLException e) {
      if (failedAt == null) {
        LOG.warn(
            "{} does not say which database it is (SQLSTATE {}), so its windows are shared with no"
                + " other node until it does. Let its user execute pg_control_system(), or name"
                + " what it reads by source(…) of the TimeSeries.",
            name,
            e.getSQLState(),
            e);
      }
      failedAt = System.nanoTime();
    } finally {
      asking.unlock();
    }
    return which;
  }

  private Which read() throws SQLException {
    Which[] found = new Which[1];
    transactions.run(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(seconds);
            try (ResultSet row = statement.executeQuery(WHICH)) {
              row.next();
              found[0] = new Which(row.getString(1), row.getString(2), row.getString(3));
            }
          }
        });
    return found[0];
  }
}
