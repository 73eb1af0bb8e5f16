package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Statements of one connection, each with its limit. */
final class Statements {
  private final Connection connection;
  private final int seconds;

  Statements(Connection connection, int seconds) {
    this.connection = connection;
    this.seconds = seconds;
  }

  /** Runs a text that holds no value. */
  void execute(String text) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(seconds);
      statement.execute(text);
    }
  }

  PreparedStatement prepare(String text) throws SQLException {
    PreparedStatement prepared = connection.prepareStatement(text);
    prepared.setQueryTimeout(seconds);
    return prepared;
  }

  void array(PreparedStatement prepared, int place, String type, Object[] values)
      throws SQLException {
    prepared.setArray(place, connection.createArrayOf(type, values));
  }

  /** Binds tenant and kind, from this place on; the place after them. */
  static int bind(PreparedStatement prepared, EncounterScope scope, int from) throws SQLException {
    prepared.setString(from, scope.tenant().id());
    prepared.setString(from + 1, scope.kind());
    return from + 2;
  }

  /** An encounter whose id, start and end are in columns from this one on. */
  static Encounter encounter(ResultSet rows, int from) throws SQLException {
    String id = rows.getString(from);
    long start = rows.getLong(from + 1);
    long end = rows.getLong(from + 2);
    boolean open = rows.wasNull();
    return new Encounter(
        id, EncounterOrder.instant(start), open ? null : EncounterOrder.instant(end));
  }
}
