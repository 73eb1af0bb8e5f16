package dev.aquifer.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/** The real flights and airports: their files, their tables, and the airports to visit. */
final class FlightData {
  private static final String SCHEMA =
      """
      create table airport (
        iata text primary key, name text not null, city text, state text, country text,
        latitude double precision, longitude double precision);
      create table flight (
        id bigint generated always as identity primary key,
        departed_at timestamptz not null, origin text not null, destination text not null,
        delay_minutes integer not null, distance_miles integer not null,
        tenant text not null generated always as (origin) stored);
      create index flight_board on flight (tenant, departed_at);
      """;

  private FlightData() {}

  /**
   * An airport with its departures.
   *
   * @param origin the tenant
   * @param ids of its flights, in order of departure
   * @param days on which it has flights
   */
  record Airport(String origin, List<Long> ids, List<OffsetDateTime> days) {}

  static List<String> lines(String file) {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(FlightData.class.getResourceAsStream(file), file),
                StandardCharsets.UTF_8))) {
      return reader.lines().skip(1).toList();
    } catch (IOException e) {
      throw new UncheckedIOException("The example's file %s could not be read".formatted(file), e);
    }
  }

  static void load(DataSource primary, PrintStream out) throws SQLException {
    List<String> airports = lines("airports.csv");
    List<String> flights = lines("flights.csv");
    try (Connection connection = primary.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(SCHEMA);
      copy(
          connection,
          "copy airport from stdin (format csv)",
          airports,
          new ProgressBar(out, "airports", airports.size()));
      copy(
          connection,
          "copy flight (departed_at, origin, destination, delay_minutes, distance_miles) from stdin (format csv)",
          flights,
          new ProgressBar(out, "flights", flights.size()));
      statement.execute("analyze");
    }
  }

  private static void copy(
      Connection connection, String command, List<String> lines, ProgressBar bar)
      throws SQLException {
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(command);
    try {
      for (int i = 0; i < lines.size(); i++) {
        byte[] line = (lines.get(i) + '\n').getBytes(StandardCharsets.UTF_8);
        copy.writeToCopy(line, 0, line.length);
        bar.at(i + 1);
      }
      copy.endCopy();
    } finally {
      if (copy.isActive()) {
        copy.cancelCopy();
      }
    }
  }

  /** Every airport with departures, in order of its code. */
  static Collection<Airport> airports(DataSource primary) throws SQLException {
    TreeMap<String, Airport> airports = new TreeMap<>();
    try (Connection connection = primary.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select origin, id, (departed_at at time zone 'UTC')::date from flight order by departed_at, id")) {
      while (rows.next()) {
        Airport airport =
            airports.computeIfAbsent(
                rows.getString(1),
                origin -> new Airport(origin, new ArrayList<>(), new ArrayList<>()));
        airport.ids().add(rows.getLong(2));
        OffsetDateTime day =
            rows.getObject(3, LocalDate.class).atStartOfDay().atOffset(ZoneOffset.UTC);
        if (airport.days().isEmpty()
            || !airport.days().get(airport.days().size() - 1).equals(day)) {
          airport.days().add(day);
        }
      }
    }
    return airports.values();
  }
}
