package dev.aquifer.tsquery.encounter;

import dev.aquifer.AquiferException;
import dev.aquifer.tsquery.Encounter;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes of the rows that hold part of a month of encounters each; the scope is locked. Every
 * statement names tenant and kind, and binds every value.
 */
final class ArchiveRows {
  private static final String SMALLEST =
      "SELECT part, packed FROM aquifer_encounter_month"
          + " WHERE tenant = ? AND kind = ? AND month = ? AND count < ? ORDER BY count LIMIT 1";
  private static final String NEXT =
      "SELECT coalesce(max(part) + 1, 0) FROM aquifer_encounter_month"
          + " WHERE tenant = ? AND kind = ? AND month = ?";
  private static final String WRITE =
      "INSERT INTO aquifer_encounter_month"
          + " (tenant, kind, month, part, first_ns, last_ns, end_ns, count, sieve, packed)"
          + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
          + " ON CONFLICT (tenant, kind, month, part) DO UPDATE SET first_ns = excluded.first_ns,"
          + " last_ns = excluded.last_ns, end_ns = excluded.end_ns, count = excluded.count,"
          + " sieve = excluded.sieve, packed = excluded.packed";
  private static final String REMOVE =
      "DELETE FROM aquifer_encounter_month"
          + " WHERE tenant = ? AND kind = ? AND month = ? AND part = ?";

  private final Statements statements;

  ArchiveRows(Statements statements) {
    this.statements = statements;
  }

  /** The smallest part of a month that has less than so many; null: there is none. */
  @Nullable ArchivePart smallest(EncounterScope scope, int month, int less) throws SQLException {
    try (PreparedStatement select = statements.prepare(SMALLEST)) {
      int next = Statements.bind(select, scope, 1);
      select.setInt(next, month);
      select.setInt(next + 1, less);
      try (ResultSet rows = select.executeQuery()) {
        return rows.next() ? read(scope, month, rows.getInt(1), rows.getBytes(2)) : null;
      }
    }
  }

  /** The number of a new part. */
  int next(EncounterScope scope, int month) throws SQLException {
    try (PreparedStatement select = statements.prepare(NEXT)) {
      select.setInt(Statements.bind(select, scope, 1), month);
      try (ResultSet rows = select.executeQuery()) {
        rows.next();
        return rows.getInt(1);
      }
    }
  }

  /** Writes a part, in the place of the one with its number; none where nothing is in it. */
  void write(EncounterScope scope, ArchivePart part) throws SQLException {
    if (part.encounters().isEmpty()) {
      try (PreparedStatement remove = statements.prepare(REMOVE)) {
        int next = Statements.bind(remove, scope, 1);
        remove.setInt(next, part.month());
        remove.setInt(next + 1, part.part());
        remove.executeUpdate();
      }
      return;
    }
    try (PreparedStatement write = statements.prepare(WRITE)) {
      int next = Statements.bind(write, scope, 1);
      write.setInt(next++, part.month());
      write.setInt(next++, part.part());
      write.setLong(next++, part.firstStart());
      write.setLong(next++, part.lastStart());
      write.setLong(next++, part.lastEnd());
      write.setInt(next++, part.encounters().size());
      write.setBytes(next++, Sieve.bytes(scope, part.encounters()));
      write.setBytes(next, PackedEncounters.pack(part.encounters()));
      write.executeUpdate();
    }
  }

  static ArchivePart read(EncounterScope scope, int month, int part, byte[] packed) {
    try {
      List<Encounter> encounters = PackedEncounters.unpack(packed);
      return new ArchivePart(month, part, encounters);
    } catch (AquiferException e) {
      throw new AquiferException(
          "Part %d of month %d-%02d of encounters of kind %s cannot be read. %s"
              .formatted(part, month / 12, month % 12 + 1, scope, e.getMessage()),
          e);
    }
  }
}
