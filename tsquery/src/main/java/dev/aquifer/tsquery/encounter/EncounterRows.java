package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes of the rows that hold one encounter each, and of the row that counts them. Every
 * statement names tenant and kind, and binds every value.
 */
final class EncounterRows {
  /** How many there are of a scope, archived ones too. */
  record Tally(long kept, long open) {}

  private static final String LOCK =
      "SELECT kept, open FROM aquifer_encounter_tally WHERE tenant = ? AND kind = ? FOR UPDATE";
  private static final String BEGIN =
      "INSERT INTO aquifer_encounter_tally (tenant, kind, kept, open) VALUES (?, ?, 0, 0)"
          + " ON CONFLICT DO NOTHING";
  private static final String COUNT =
      "UPDATE aquifer_encounter_tally SET kept = kept + ?, open = open + ?"
          + " WHERE tenant = ? AND kind = ?";
  private static final String ADD =
      "INSERT INTO aquifer_encounter (start_ns, end_ns, reach, tenant, kind, id)"
          + " VALUES (?, ?, ?, ?, ?, ?)";
  private static final String AMEND =
      "UPDATE aquifer_encounter SET start_ns = ?, end_ns = ?, reach = ?"
          + " WHERE tenant = ? AND kind = ? AND id = ?";
  private static final String REMOVE =
      "DELETE FROM aquifer_encounter WHERE tenant = ? AND kind = ? AND id = ?";
  private static final String ENDED =
      "SELECT id, start_ns, end_ns FROM aquifer_encounter WHERE tenant = ? AND kind = ?"
          + " AND end_ns IS NOT NULL AND start_ns < ? ORDER BY start_ns, id LIMIT ?";
  private static final String REMOVE_ENDED =
      "DELETE FROM aquifer_encounter WHERE tenant = ? AND kind = ?"
          + " AND end_ns IS NOT NULL AND (start_ns, id) <= (?, ?)";

  private final Statements statements;

  EncounterRows(Statements statements) {
    this.statements = statements;
  }

  /** Waits for others' changes of the scope, and keeps them waiting until the transaction ends. */
  Tally lock(EncounterScope scope) throws SQLException {
    Tally tally = tally(scope);
    if (tally == null) {
      try (PreparedStatement begin = statements.prepare(BEGIN)) {
        Statements.bind(begin, scope, 1);
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
    try (PreparedStatement lock = statements.prepare(LOCK)) {
      Statements.bind(lock, scope, 1);
      try (ResultSet rows = lock.executeQuery()) {
        return rows.next() ? new Tally(rows.getLong(1), rows.getLong(2)) : null;
      }
    }
  }

  void count(EncounterScope scope, int added, int opened) throws SQLException {
    if (added == 0 && opened == 0) {
      return;
    }
    try (PreparedStatement count = statements.prepare(COUNT)) {
      count.setLong(1, added);
      count.setLong(2, opened);
      Statements.bind(count, scope, 3);
      count.executeUpdate();
    }
  }

  /** Makes a change of one; the scope is locked, so that nobody else has made one meanwhile. */
  void store(EncounterScope scope, EncounterChange change) throws SQLException {
    Encounter before = change.before();
    Encounter after = change.after();
    if (after != null) {
      write(before == null ? ADD : AMEND, scope, after);
    } else if (before != null) {
      try (PreparedStatement remove = statements.prepare(REMOVE)) {
        remove.setString(Statements.bind(remove, scope, 1), before.id());
        remove.executeUpdate();
      }
    }
  }

  private void write(String statement, EncounterScope scope, Encounter encounter)
      throws SQLException {
    Long end = encounter.end() == null ? null : (Long) EncounterOrder.nanos(encounter.end());
    try (PreparedStatement write = statements.prepare(statement)) {
      write.setLong(1, EncounterOrder.nanos(encounter.start()));
      write.setObject(2, end, Types.BIGINT);
      write.setInt(3, Reach.of(encounter));
      write.setString(Statements.bind(write, scope, 4), encounter.id());
      write.executeUpdate();
    }
  }

  /** The first that have ended, of those that began before a time. */
  List<Encounter> ended(EncounterScope scope, long before, int most) throws SQLException {
    List<Encounter> ended = new ArrayList<>();
    try (PreparedStatement select = statements.prepare(ENDED)) {
      int next = Statements.bind(select, scope, 1);
      select.setLong(next, before);
      select.setInt(next + 1, most);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          ended.add(Statements.encounter(rows, 1));
        }
      }
    }
    return ended;
  }

  /** Removes those that have ended, up to this one. */
  void removeEnded(EncounterScope scope, Encounter last) throws SQLException {
    try (PreparedStatement remove = statements.prepare(REMOVE_ENDED)) {
      int next = Statements.bind(remove, scope, 1);
      remove.setLong(next, EncounterOrder.nanos(last.start()));
      remove.setString(next + 1, last.id());
      remove.executeUpdate();
    }
  }
}
