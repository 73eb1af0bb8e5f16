package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The statements of one connection. Every one names tenant and kind, and binds every value. */
final class EncounterRows {
  /** How many there are of a scope. */
  record Tally(long kept, long open) {}

  private static final String LOCK =
      "SELECT kept, open FROM aquifer_encounter_tally WHERE tenant = ? AND kind = ? FOR UPDATE";
  private static final String BEGIN =
      "INSERT INTO aquifer_encounter_tally (tenant, kind, kept, open) VALUES (?, ?, 0, 0)"
          + " ON CONFLICT DO NOTHING";
  private static final String COUNT =
      "UPDATE aquifer_encounter_tally SET kept = kept + ?, open = open + ?"
          + " WHERE tenant = ? AND kind = ?";
  private static final String FIND =
      "SELECT id, start_ns, end_ns FROM aquifer_encounter"
          + " WHERE tenant = ? AND kind = ? AND id = ?";
  private static final String ADD =
      "INSERT INTO aquifer_encounter (start_ns, end_ns, tenant, kind, id) VALUES (?, ?, ?, ?, ?)";
  private static final String AMEND =
      "UPDATE aquifer_encounter SET start_ns = ?, end_ns = ?"
          + " WHERE tenant = ? AND kind = ? AND id = ?";
  private static final String REMOVE =
      "DELETE FROM aquifer_encounter WHERE tenant = ? AND kind = ? AND id = ?";
  private static final String BETWEEN =
      "SELECT id, start_ns, end_ns FROM aquifer_encounter WHERE tenant = ? AND kind = ?"
          + " AND start_ns < ? AND coalesce(end_ns, 9223372036854775807) > ?"
          + " AND (start_ns, id) > (?, ?) ORDER BY start_ns, id LIMIT ?";

  /** Only one at a time may create tables: "if not exists" alone fails where two do. */
  private static final String CREATE_ALONE = "SELECT pg_advisory_xact_lock(4702111234474983745)";

  private final Connection connection;
  private final int seconds;

  EncounterRows(Connection connection, int seconds) {
    this.connection = connection;
    this.seconds = seconds;
  }

  void create(String ddl) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(seconds);
      statement.execute(CREATE_ALONE);
      for (String part : ddl.split(";\\s*\\n", -1)) {
        if (!part.isBlank()) {
          statement.execute(part);
        }
      }
    }
  }

  /** Waits for others' changes of the scope, and keeps them waiting until the transaction ends. */
  Tally lock(EncounterScope scope) throws SQLException {
    Tally tally = tally(scope);
    if (tally == null) {
      try (PreparedStatement begin = prepare(BEGIN)) {
        bind(begin, scope, 1);
        begin.executeUpdate();
      }
      tally = tally(scope);
    }
    if (tally == null) {
      throw new SQLException("The tally of encounters of kind " + scope + " vanished");
    }
    return tally;
  }

  private @Nullable Tally tally(EncounterScope scope) throws SQLException {
    try (PreparedStatement lock = prepare(LOCK)) {
      bind(lock, scope, 1);
      try (ResultSet rows = lock.executeQuery()) {
        return rows.next() ? new Tally(rows.getLong(1), rows.getLong(2)) : null;
      }
    }
  }

  void count(EncounterScope scope, int added, int opened) throws SQLException {
    if (added == 0 && opened == 0) {
      return;
    }
    try (PreparedStatement count = prepare(COUNT)) {
      count.setLong(1, added);
      count.setLong(2, opened);
      bind(count, scope, 3);
      count.executeUpdate();
    }
  }

  @Nullable Encounter find(EncounterScope scope, String id) throws SQLException {
    try (PreparedStatement find = prepare(FIND)) {
      find.setString(bind(find, scope, 1), id);
      try (ResultSet rows = find.executeQuery()) {
        return rows.next() ? read(rows) : null;
      }
    }
  }

  /** Makes the change; the scope is locked, so that nobody else has made one meanwhile. */
  void store(EncounterScope scope, EncounterChange change) throws SQLException {
    Encounter before = change.before();
    Encounter after = change.after();
    if (after != null) {
      if (!after.equals(before)) {
        write(before == null ? ADD : AMEND, scope, after);
      }
    } else if (before != null) {
      try (PreparedStatement remove = prepare(REMOVE)) {
        remove.setString(bind(remove, scope, 1), before.id());
        remove.executeUpdate();
      }
    }
  }

  private void write(String statement, EncounterScope scope, Encounter encounter)
      throws SQLException {
    try (PreparedStatement write = prepare(statement)) {
      write.setLong(1, EncounterOrder.nanos(encounter.start()));
      write.setObject(
          2,
          encounter.end() == null ? null : (Long) EncounterOrder.nanos(encounter.end()),
          Types.BIGINT);
      write.setString(bind(write, scope, 3), encounter.id());
      write.executeUpdate();
    }
  }

  EncounterPage between(EncounterScope scope, TimeRange range, @Nullable Encounter after, int most)
      throws SQLException {
    List<Encounter> found = new ArrayList<>();
    try (PreparedStatement between = prepare(BETWEEN)) {
      int next = bind(between, scope, 1);
      between.setLong(next++, EncounterOrder.nanos(range.stop()));
      between.setLong(next++, EncounterOrder.nanos(range.start()));
      between.setLong(next++, after == null ? Long.MIN_VALUE : EncounterOrder.nanos(after.start()));
      between.setString(next++, after == null ? "" : after.id());
      between.setInt(next, most + 1);
      try (ResultSet rows = between.executeQuery()) {
        while (rows.next()) {
          found.add(read(rows));
        }
      }
    }
    boolean more = found.size() > most;
    return new EncounterPage(more ? found.subList(0, most) : found, more);
  }

  private static Encounter read(ResultSet rows) throws SQLException {
    String id = rows.getString(1);
    long start = rows.getLong(2);
    long end = rows.getLong(3);
    return new Encounter(
        id, EncounterOrder.instant(start), rows.wasNull() ? null : EncounterOrder.instant(end));
  }

  private PreparedStatement prepare(String text) throws SQLException {
    PreparedStatement prepared = connection.prepareStatement(text);
    prepared.setQueryTimeout(seconds);
    return prepared;
  }

  /** Binds tenant and kind, from this place on; the place after them. */
  private static int bind(PreparedStatement prepared, EncounterScope scope, int from)
      throws SQLException {
    prepared.setString(from, scope.tenant().id());
    prepared.setString(from + 1, scope.kind());
    return from + 2;
  }
}
