package dev.aquifer.tsquery.encounter;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Encounters in tables of PostgreSQL 14 or newer, over any {@link DataSource}. Over Aquifer's own
 * replica set changes go to the primary, and reads to a replica that has the session's changes.
 * Thread-safe.
 *
 * <p>A change is a transaction of its own on a connection of its own; it takes no part in one of
 * the application's. Changes of one tenant's encounters of one kind run one after the other: each
 * locks the row that counts them. Connections are given back as they were taken.
 */
public final class PostgresEncounters implements EncounterStore {
  /** The tables; {@link #createTables} runs this. */
  public static final String DDL =
      """
      CREATE TABLE IF NOT EXISTS aquifer_encounter_tally (
        tenant text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        kept bigint NOT NULL,
        open bigint NOT NULL,
        PRIMARY KEY (tenant, kind));
      -- Times are nanoseconds since 1970-01-01T00:00Z. No end: it goes on.
      CREATE TABLE IF NOT EXISTS aquifer_encounter (
        tenant text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        start_ns bigint NOT NULL,
        end_ns bigint,
        PRIMARY KEY (tenant, kind, id));
      CREATE INDEX IF NOT EXISTS aquifer_encounter_start
        ON aquifer_encounter (tenant, kind, start_ns, id);
      CREATE INDEX IF NOT EXISTS aquifer_encounter_end
        ON aquifer_encounter (tenant, kind, coalesce(end_ns, 9223372036854775807), start_ns);
      """;

  private static final Set<String> GONE = Set.of("57014", "57P01", "57P02", "57P03", "53300");
  private static final Duration LONGEST = Duration.ofDays(1);

  private final DataSource dataSource;
  private final Duration timeout;

  private PostgresEncounters(DataSource dataSource, Duration timeout) {
    this.dataSource = dataSource;
    this.timeout = timeout;
  }

  /** Encounters in this database. Statements may take 10 s. */
  public static PostgresEncounters of(DataSource dataSource) {
    return new PostgresEncounters(dataSource, Duration.ofSeconds(10));
  }

  /**
   * The same, with another limit on each statement, waiting for others' changes included; rounded
   * up to seconds.
   *
   * @throws ConfigurationException when it is not more than 0, or longer than a day
   */
  public PostgresEncounters statementTimeout(Duration limit) {
    if (limit.isZero() || limit.isNegative() || limit.compareTo(LONGEST) > 0) {
      throw new ConfigurationException(
          "The statement timeout is %s; it must be more than 0 and at most %s."
              .formatted(limit, LONGEST));
    }
    return new PostgresEncounters(dataSource, limit);
  }

  /** Creates what is missing of {@link #DDL}, in the schema that connections create tables in. */
  public PostgresEncounters createTables() {
    inTransaction(
        "create the tables of encounters",
        rows -> {
          rows.create(DDL);
          return true;
        });
    return this;
  }

  @Override
  public EncounterChange change(
      EncounterScope scope, String id, EncounterLimits limits, Decision decision) {
    return inTransaction(
        "change encounters of kind " + scope,
        rows -> {
          EncounterRows.Tally tally = rows.lock(scope);
          Encounter before = rows.find(scope, id);
          Encounter after = decision.after(before);
          EncounterChange change = new EncounterChange(before, after);
          EncounterOrder.requireRoom(scope, limits, change, tally.kept(), tally.open());
          rows.store(scope, change);
          rows.count(scope, EncounterOrder.added(change), EncounterOrder.opened(change));
          return change;
        });
  }

  @Override
  public Optional<Encounter> find(EncounterScope scope, String id) {
    return reading(
        "find encounters of kind " + scope, rows -> Optional.ofNullable(rows.find(scope, id)));
  }

  @Override
  public EncounterPage between(
      EncounterScope scope, TimeRange range, @Nullable Encounter after, int most) {
    return reading(
        "list encounters of kind " + scope, rows -> rows.between(scope, range, after, most));
  }

  private interface Work<T> {
    T on(EncounterRows rows) throws SQLException;
  }

  /** One statement, which commits by itself. */
  private <T> T reading(String what, Work<T> work) {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      if (!autoCommit) {
        connection.setAutoCommit(true);
      }
      try {
        return work.on(new EncounterRows(connection, seconds()));
      } finally {
        if (!autoCommit) {
          connection.setAutoCommit(false);
        }
      }
    } catch (SQLException e) {
      throw failed(what, e);
    }
  }

  private <T> T inTransaction(String what, Work<T> work) {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      int isolation = connection.getTransactionIsolation();
      // Each statement sees what was committed before it, so also before the lock was had.
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(false);
      T done;
      try {
        done = work.on(new EncounterRows(connection, seconds()));
        connection.commit();
      } catch (SQLException | RuntimeException e) {
        try {
          connection.rollback();
          giveBack(connection, autoCommit, isolation);
        } catch (SQLException second) {
          e.addSuppressed(second);
        }
        throw e;
      }
      giveBack(connection, autoCommit, isolation);
      return done;
    } catch (SQLException e) {
      throw failed(what, e);
    }
  }

  private static void giveBack(Connection connection, boolean autoCommit, int isolation)
      throws SQLException {
    connection.setAutoCommit(autoCommit);
    connection.setTransactionIsolation(isolation);
  }

  private int seconds() {
    return (int) Math.max(1, timeout.plusNanos(999_999_999).toSeconds());
  }

  private AquiferException failed(String what, SQLException error) {
    String state = error.getSQLState() == null ? "" : error.getSQLState();
    String message = "PostgreSQL did not %s (SQLSTATE %s)".formatted(what, state);
    boolean gone =
        error instanceof SQLTimeoutException || state.startsWith("08") || GONE.contains(state);
    return gone
        ? new UnavailableException(message + " within its limit of " + seconds() + " s", error)
        : new AquiferException(message + ": " + error.getMessage(), error);
  }
}
