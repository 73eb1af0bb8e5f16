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
import java.time.Instant;
import java.util.List;
import java.util.Objects;
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
        -- It is shorter than two to this power of nanoseconds, 64: it goes on.
        reach int NOT NULL,
        PRIMARY KEY (tenant, kind, id));
      CREATE INDEX IF NOT EXISTS aquifer_encounter_start
        ON aquifer_encounter (tenant, kind, start_ns, id);
      CREATE INDEX IF NOT EXISTS aquifer_encounter_reach
        ON aquifer_encounter (tenant, kind, reach, start_ns, id);
      -- Those that have ended, by the month of their start, counted from the year 0.
      CREATE TABLE IF NOT EXISTS aquifer_encounter_month (
        tenant text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        month int NOT NULL,
        part int NOT NULL,
        first_ns bigint NOT NULL,
        last_ns bigint NOT NULL,
        end_ns bigint NOT NULL,
        count int NOT NULL,
        sieve bytea NOT NULL,
        packed bytea NOT NULL,
        PRIMARY KEY (tenant, kind, month, part));
      """;

  /** Only one at a time may create tables: "if not exists" alone fails where two do. */
  private static final String CREATE_ALONE = "SELECT pg_advisory_xact_lock(4702111234474983745)";

  private static final Set<String> GONE = Set.of("57014", "57P01", "57P02", "57P03", "53300");
  private static final Duration LONGEST = Duration.ofDays(1);

  /** So many encounters in a row of the archive: few rows to read, and little to write anew. */
  private static final int PART = 4_096;

  private final DataSource dataSource;
  private final Duration timeout;
  private final int part;

  private PostgresEncounters(DataSource dataSource, Duration timeout, int part) {
    this.dataSource = dataSource;
    this.timeout = timeout;
    this.part = part;
  }

  /** Encounters in this database. Statements may take 10 s. */
  public static PostgresEncounters of(DataSource dataSource) {
    return new PostgresEncounters(dataSource, Duration.ofSeconds(10), PART);
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
    return new PostgresEncounters(dataSource, limit, part);
  }

  /** The same, with so many encounters in a row of the archive. */
  PostgresEncounters partOf(int encounters) {
    return new PostgresEncounters(dataSource, timeout, encounters);
  }

  /** Creates what is missing of {@link #DDL}, in the schema that connections create tables in. */
  public PostgresEncounters createTables() {
    inTransaction(
        "create the tables of encounters",
        statements -> {
          statements.execute(CREATE_ALONE);
          for (String each : DDL.split(";\\s*\\n", -1)) {
            if (!each.isBlank()) {
              statements.execute(each);
            }
          }
          return true;
        });
    return this;
  }

  @Override
  public EncounterChange change(
      EncounterScope scope, String id, EncounterLimits limits, Decision decision) {
    return inTransaction(
        "change encounters of kind " + scope,
        statements -> {
          EncounterRows rows = new EncounterRows(statements);
          EncounterRows.Tally tally = rows.lock(scope);
          EncounterReads.Located found = new EncounterReads(statements).find(scope, id);
          Encounter before = found == null ? null : found.encounter();
          Encounter after = decision.after(before);
          EncounterChange change = new EncounterChange(before, after);
          if (Objects.equals(before, after)) {
            return change;
          }
          EncounterOrder.requireRoom(scope, limits, change, tally.kept(), tally.open());
          ArchivePart archived = found == null ? null : found.archived();
          if (archived == null) {
            rows.store(scope, change);
          } else {
            new ArchiveRows(statements).write(scope, archived.without(id));
            rows.store(scope, new EncounterChange(null, after));
          }
          rows.count(scope, EncounterOrder.added(change), EncounterOrder.opened(change));
          return change;
        });
  }

  @Override
  public Optional<Encounter> find(EncounterScope scope, String id) {
    return reading(
        "find encounters of kind " + scope,
        statements ->
            Optional.ofNullable(new EncounterReads(statements).find(scope, id))
                .map(EncounterReads.Located::encounter));
  }

  @Override
  public EncounterPage between(
      EncounterScope scope, TimeRange range, @Nullable Encounter after, int most) {
    String what = "list encounters of kind " + scope;
    EncounterPage page =
        reading(what, s -> new EncounterReads(s).betweenAtOnce(scope, range, after, most));
    // By several statements it is read as of one moment: what moves meanwhile is neither missed nor
    // found twice.
    return page != null
        ? page
        : snapshot(what, s -> new EncounterReads(s).between(scope, range, after, most));
  }

  /** In transactions of some thousands; others' changes of the scope go on between them. */
  @Override
  public long archive(EncounterScope scope, Instant before) {
    long boundary = EncounterOrder.nanos(ArchivePart.beginning(before));
    long all = 0;
    int packed;
    do {
      packed = inTransaction("archive encounters of kind " + scope, s -> pack(s, scope, boundary));
      all += packed;
    } while (packed > 0);
    return all;
  }

  /** Packs some of one month, with the part of it that has room. */
  private int pack(Statements statements, EncounterScope scope, long boundary) throws SQLException {
    EncounterRows rows = new EncounterRows(statements);
    ArchiveRows archive = new ArchiveRows(statements);
    rows.lock(scope);
    List<Encounter> ended = rows.ended(scope, boundary, part);
    if (ended.isEmpty()) {
      return 0;
    }
    int month = ArchivePart.month(ended.get(0).start());
    List<Encounter> own =
        ended.stream().takeWhile(each -> ArchivePart.month(each.start()) == month).toList();
    ArchivePart with = archive.smallest(scope, month, part / 2);
    archive.write(
        scope,
        with == null ? new ArchivePart(month, archive.next(scope, month), own) : with.with(own));
    rows.removeEnded(scope, own.get(own.size() - 1));
    return own.size();
  }

  private interface Work<T extends @Nullable Object> {
    T on(Statements statements) throws SQLException;
  }

  /** One statement, which commits by itself. */
  private <T extends @Nullable Object> T reading(String what, Work<T> work) {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      if (!autoCommit) {
        connection.setAutoCommit(true);
      }
      try {
        return work.on(new Statements(connection, seconds()));
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
    // Each statement sees what was committed before it, so also before the lock was had.
    return transaction(what, Connection.TRANSACTION_READ_COMMITTED, false, work);
  }

  private <T> T snapshot(String what, Work<T> work) {
    return transaction(what, Connection.TRANSACTION_REPEATABLE_READ, true, work);
  }

  private <T> T transaction(String what, int level, boolean readOnly, Work<T> work) {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      boolean wasReadOnly = connection.isReadOnly();
      int isolation = connection.getTransactionIsolation();
      T done;
      try {
        if (readOnly) {
          connection.setReadOnly(true);
        }
        connection.setTransactionIsolation(level);
        connection.setAutoCommit(false);
        done = work.on(new Statements(connection, seconds()));
        connection.commit();
      } catch (SQLException | RuntimeException | Error e) {
        try {
          if (!connection.getAutoCommit()) {
            connection.rollback();
          }
          giveBack(connection, autoCommit, isolation, wasReadOnly);
        } catch (SQLException second) {
          e.addSuppressed(second);
        }
        throw e;
      }
      giveBack(connection, autoCommit, isolation, wasReadOnly);
      return done;
    } catch (SQLException e) {
      throw failed(what, e);
    }
  }

  private static void giveBack(
      Connection connection, boolean autoCommit, int isolation, boolean readOnly)
      throws SQLException {
    connection.setAutoCommit(autoCommit);
    connection.setTransactionIsolation(isolation);
    if (connection.isReadOnly() != readOnly) {
      connection.setReadOnly(readOnly);
    }
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
