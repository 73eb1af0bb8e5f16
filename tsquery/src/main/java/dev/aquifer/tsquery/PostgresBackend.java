package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.UnavailableException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Time series in tables of PostgreSQL 14 or newer, read through any {@link DataSource}. Works with
 * TimescaleDB as with plain tables; an index on tenant and time is what makes it fast. Thread-safe.
 *
 * <p>A request is one SELECT in a read-only transaction, its rows read in portions; those of a
 * batch share a connection. The connection is given back as it was taken.
 */
public final class PostgresBackend implements Backend {
  private static final int FETCH_SIZE = 5_000;
  private static final String CANCELLED = "57014";
  private static final Set<String> GONE = Set.of(CANCELLED, "57P01", "57P02", "57P03", "53300");

  private final ReadTransactions transactions;
  private final PostgresSource source;
  private final String name;
  private final Duration timeout;
  private final Map<String, SeriesTable> tables;
  private final Map<String, PostgresDialect> dialects;

  private PostgresBackend(
      ReadTransactions transactions,
      String name,
      Duration timeout,
      Map<String, SeriesTable> tables) {
    this.transactions = transactions;
    this.name = name;
    this.timeout = timeout;
    this.tables = Map.copyOf(tables);
    Map<String, PostgresDialect> made = new LinkedHashMap<>();
    tables.forEach((measurement, table) -> made.put(measurement, new PostgresDialect(table)));
    this.dialects = Map.copyOf(made);
    this.source = new PostgresSource(transactions, name, seconds(timeout));
  }

  /**
   * The measurements in these tables. Statements may take 10 s; the name is {@code postgresql}.
   *
   * @throws ConfigurationException when there is no table, or two are of one measurement
   */
  public static PostgresBackend of(DataSource dataSource, SeriesTable... tables) {
    if (tables.length == 0) {
      throw new ConfigurationException("A PostgreSQL backend has no table; give at least one.");
    }
    Map<String, SeriesTable> byMeasurement = new LinkedHashMap<>();
    for (SeriesTable table : tables) {
      if (byMeasurement.put(table.measurement(), table) != null) {
        throw new ConfigurationException(
            "Two tables are of measurement %s: one must go.".formatted(table.measurement()));
      }
    }
    return new PostgresBackend(
        new ReadTransactions(dataSource), "postgresql", Duration.ofSeconds(10), byMeasurement);
  }

  /** The same, called this in messages. */
  public PostgresBackend named(String newName) {
    return new PostgresBackend(
        transactions, Names.require("backend name", newName), timeout, tables);
  }

  /** The same, with another limit on each statement; rounded up to seconds. */
  public PostgresBackend statementTimeout(Duration limit) {
    return new PostgresBackend(transactions, name, Nanos.limit("statement timeout", limit), tables);
  }

  @Override
  public String name() {
    return name;
  }

  /**
   * Told apart by the cluster's identifier, the database's name and how the table is read. The
   * server is asked once, when it is first needed; where it does not say, because its user may not
   * execute {@code pg_control_system()}, null. A copy of a cluster's files has the same identifier:
   * name what it reads by {@link TimeSeriesBuilder#source} where it uses the same Redis.
   */
  @Override
  public @Nullable String source(String measurement) {
    SeriesTable table = tables.get(measurement);
    return table == null ? null : source.of(table);
  }

  @Override
  public void check(TimeSeriesQuery query) {
    dialect(query).check(query);
  }

  @Override
  public List<StatementText> render(FetchRequest request) {
    return List.of(dialect(request.query()).render(request));
  }

  @Override
  public void fetch(FetchRequest request, RowSink sink) {
    long began = System.nanoTime();
    StatementText statement = dialect(request.query()).render(request);
    reading(request, connection -> read(connection, statement, request, began, sink));
  }

  /** On one connection, one after the other; those before it take of the time of each. */
  @Override
  public void fetchAll(List<FetchRequest> requests, BatchSink sink) {
    long began = System.nanoTime();
    List<StatementText> statements =
        requests.stream().map(each -> dialect(each.query()).render(each)).toList();
    reading(
        requests.get(0),
        connection -> {
          for (int i = 0; i < requests.size(); i++) {
            try {
              read(connection, statements.get(i), requests.get(i), began, sink.rows(i));
              sink.answered(i);
            } catch (SQLException e) {
              sink.failed(i, failed(requests.get(i), e));
              // Fails where the connection is gone: then nobody is answered any more.
              connection.rollback();
            }
          }
        });
  }

  @Override
  public int queriesInRequest() {
    return 16;
  }

  private void reading(FetchRequest request, ReadTransactions.Reading reading) {
    try {
      transactions.run(reading);
    } catch (SQLException e) {
      throw failed(request, e);
    }
  }

  private void read(
      Connection connection,
      StatementText statement,
      FetchRequest request,
      long began,
      RowSink sink)
      throws SQLException {
    Duration left = request.left(began);
    if (left.isZero()) {
      throw new SQLTimeoutException("Nothing is left of the query's time", CANCELLED);
    }
    int seconds = seconds(left);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    try (PreparedStatement prepared = connection.prepareStatement(statement.text())) {
      prepared.setQueryTimeout(seconds);
      prepared.setFetchSize(FETCH_SIZE);
      int index = 1;
      for (Object value : statement.values()) {
        prepared.setObject(index++, value);
      }
      try (ResultSet rows = prepared.executeQuery()) {
        Rows reader = new Rows(request.query(), table(request.query()), rows);
        try {
          for (int read = 1; rows.next(); read++) {
            reader.read(sink);
            // The driver's limit is for the first portion of rows.
            if (read % FETCH_SIZE == 0 && System.nanoTime() - deadline > 0) {
              throw new SQLTimeoutException("Rows went on to come", CANCELLED);
            }
          }
        } finally {
          sink.received(reader.bytes);
        }
      }
    }
  }

  private int seconds(Duration left) {
    Duration limit = left.compareTo(timeout) < 0 ? left : timeout;
    return (int) Math.max(1, Math.min(Integer.MAX_VALUE, limit.plusNanos(999_999_999).toSeconds()));
  }

  private AquiferException failed(FetchRequest request, SQLException error) {
    String state = error.getSQLState() == null ? "" : error.getSQLState();
    String what =
        "%s did not answer a query of %s (SQLSTATE %s)"
            .formatted(name, request.query().measurement(), state);
    boolean gone =
        error instanceof SQLTimeoutException || state.startsWith("08") || GONE.contains(state);
    return gone
        ? new UnavailableException(
            what + " within its limit of " + seconds(request.timeout()) + " s", error)
        : new AquiferException(what + ": " + reason(error), error);
  }

  private static String reason(SQLException error) {
    String message = error.getMessage();
    return message == null ? error.toString() : message;
  }

  private PostgresDialect dialect(TimeSeriesQuery query) {
    PostgresDialect dialect = dialects.get(query.measurement());
    if (dialect == null) {
      throw unknown(query);
    }
    return dialect;
  }

  private SeriesTable table(TimeSeriesQuery query) {
    SeriesTable table = tables.get(query.measurement());
    if (table == null) {
      throw unknown(query);
    }
    return table;
  }

  private RefusedQueryException unknown(TimeSeriesQuery query) {
    return new RefusedQueryException(
        "%s has no measurement '%s'; it has %s."
            .formatted(name, Names.printable(query.measurement()), tables.keySet()));
  }

  /** Hands the rows of one answer on. */
  private static final class Rows {
    private static final int ROW_BYTES = 7;
    private static final int COLUMN_BYTES = 4;
    private static final int NUMBER_BYTES = 8;

    private final List<Selection> selections;
    private final ValueKind[] kinds;
    private final int groups;
    private final ResultSet rows;

    /** Estimated by the protocol, in which values have their lengths before them. */
    private long bytes;

    Rows(TimeSeriesQuery query, SeriesTable table, ResultSet rows) {
      this.selections = query.selections();
      this.groups = query.groupBy().size();
      this.rows = rows;
      this.kinds = new ValueKind[selections.size()];
      for (int i = 0; i < kinds.length; i++) {
        SeriesTable.FieldColumn field = table.fields().get(selections.get(i).field());
        ValueKind own = field == null ? ValueKind.TEXT : field.kind();
        kinds[i] = selections.get(i).aggregate().kind(own);
      }
    }

    void read(RowSink sink) throws SQLException {
      List<String> group = new ArrayList<>(groups);
      bytes += ROW_BYTES + COLUMN_BYTES * (1L + groups + kinds.length) + NUMBER_BYTES;
      for (int i = 0; i < groups; i++) {
        String tag = rows.getString(i + 2);
        bytes += tag.length();
        group.add(tag);
      }
      sink.row(group, Math.multiplyExact(rows.getLong(1), Nanos.PER_MICRO));
      for (int i = 0; i < kinds.length; i++) {
        value(sink, i, groups + 2 + i);
      }
    }

    private void value(RowSink sink, int selection, int column) throws SQLException {
      switch (kinds[selection]) {
        case LONG -> {
          long value = rows.getLong(column);
          if (!rows.wasNull()) {
            bytes += NUMBER_BYTES;
            sink.longValue(selection, value);
          }
        }
        case DOUBLE -> {
          double value = rows.getDouble(column);
          if (!rows.wasNull()) {
            bytes += NUMBER_BYTES;
            sink.doubleValue(selection, value);
          }
        }
        case BOOLEAN -> {
          boolean value = rows.getBoolean(column);
          if (!rows.wasNull()) {
            bytes++;
            sink.booleanValue(selection, value);
          }
        }
        case TEXT -> {
          String value = rows.getString(column);
          if (value != null) {
            bytes += value.length();
            sink.textValue(selection, value);
          }
        }
      }
    }
  }
}
