package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds encounters among rows of one each and rows of many. Both are read by one statement: of two,
 * the second would miss what was packed, or unpacked, since the first. Every statement names tenant
 * and kind, and binds every value.
 */
final class EncounterReads {
  /**
   * One, and where it is.
   *
   * @param archived the part of the archive that it is in; null: it is a row
   */
  record Located(Encounter encounter, @Nullable ArchivePart archived) {}

  private static final String FIND =
      "SELECT id, start_ns, end_ns, NULL::int, NULL::int, NULL::bytea FROM aquifer_encounter"
          + " WHERE tenant = ? AND kind = ? AND id = ?"
          + " UNION ALL SELECT NULL, NULL, NULL, month, part, packed FROM aquifer_encounter_month"
          + " WHERE tenant = ? AND kind = ? AND "
          + Sieve.LETS_THROUGH;

  /** Of rows of one, so many of each length; of rows of many, so many. */
  static final String BETWEEN =
      "(SELECT id, start_ns, end_ns, NULL::int, NULL::int, NULL::bytea, NULL::bigint"
          + " FROM unnest(?::int[], ?::bigint[]) AS lengths (reach, since) CROSS JOIN LATERAL"
          + " (SELECT id, start_ns, end_ns FROM aquifer_encounter WHERE tenant = ? AND kind = ?"
          + " AND reach = lengths.reach AND start_ns > lengths.since AND start_ns < ?"
          + " AND coalesce(end_ns, 9223372036854775807) > ?"
          + " AND (start_ns, id) > (?, ?) ORDER BY start_ns, id LIMIT ?) AS found"
          + " ORDER BY start_ns, id LIMIT ?)"
          + " UNION ALL (SELECT NULL, NULL, NULL, month, part, packed, first_ns"
          + " FROM aquifer_encounter_month WHERE tenant = ? AND kind = ?"
          + " AND first_ns < ? AND end_ns > ? AND last_ns >= ?"
          + " ORDER BY first_ns, month, part LIMIT ?)";

  /** So many rows of the archive are unpacked for a page at first. */
  private static final int PARTS = 4;

  private final Statements statements;

  EncounterReads(Statements statements) {
    this.statements = statements;
  }

  @Nullable Located find(EncounterScope scope, String id) throws SQLException {
    try (PreparedStatement find = statements.prepare(FIND)) {
      int next = Statements.bind(find, scope, 1);
      find.setString(next, id);
      next = Statements.bind(find, scope, next + 1);
      Sieve sieve = Sieve.of(scope, id);
      find.setInt(next, sieve.block());
      find.setLong(next + 1, sieve.mask());
      find.setLong(next + 2, sieve.mask());
      try (ResultSet rows = find.executeQuery()) {
        while (rows.next()) {
          byte[] packed = rows.getBytes(6);
          if (packed == null) {
            return new Located(Statements.encounter(rows, 1), null);
          }
          ArchivePart part = ArchiveRows.read(scope, rows.getInt(4), rows.getInt(5), packed);
          for (Encounter each : part.encounters()) {
            if (each.id().equals(id)) {
              return new Located(each, part);
            }
          }
        }
        return null;
      }
    }
  }

  /** A page by one statement; null where it takes several. */
  @Nullable EncounterPage betweenAtOnce(
      EncounterScope scope, TimeRange range, @Nullable Encounter after, int most)
      throws SQLException {
    long from = after == null ? Long.MIN_VALUE : EncounterOrder.nanos(after.start());
    Chunk chunk = chunk(scope, range, from, after == null ? "" : after.id(), most + 1, PARTS);
    return chunk.encounters.size() > most || chunk.until == Long.MAX_VALUE
        ? EncounterPage.of(chunk.encounters, most)
        : null;
  }

  /** A page by as many statements as it takes, which must be of one snapshot. */
  EncounterPage between(EncounterScope scope, TimeRange range, @Nullable Encounter after, int most)
      throws SQLException {
    List<Encounter> found = new ArrayList<>();
    long from = after == null ? Long.MIN_VALUE : EncounterOrder.nanos(after.start());
    String id = after == null ? "" : after.id();
    int parts = PARTS;
    while (true) {
      Chunk chunk = chunk(scope, range, from, id, most + 1, parts);
      found.addAll(chunk.encounters);
      if (found.size() > most || chunk.until == Long.MAX_VALUE) {
        return EncounterPage.of(found, most);
      }
      if (chunk.until == from) {
        // So many parts begin with the same start, or before it.
        parts *= 2;
      }
      if (chunk.until > from) {
        from = chunk.until;
        id = "";
      }
    }
  }

  /**
   * Some that follow one another.
   *
   * @param until those that start before it are all there; the largest number: all are
   */
  private record Chunk(List<Encounter> encounters, long until) {}

  private static final class Packed {
    final long first;
    final int month;
    final int part;
    final byte[] bytes;

    Packed(long first, int month, int part, byte[] bytes) {
      this.first = first;
      this.month = month;
      this.part = part;
      this.bytes = bytes;
    }
  }

  private Chunk chunk(
      EncounterScope scope, TimeRange range, long from, String id, int most, int parts)
      throws SQLException {
    List<Encounter> all = new ArrayList<>();
    List<Packed> packed = new ArrayList<>();
    try (PreparedStatement between = statements.prepare(BETWEEN)) {
      bind(between, scope, range, from, id, most, parts + 1);
      try (ResultSet rows = between.executeQuery()) {
        while (rows.next()) {
          byte[] bytes = rows.getBytes(6);
          if (bytes == null) {
            all.add(Statements.encounter(rows, 1));
          } else {
            packed.add(new Packed(rows.getLong(7), rows.getInt(4), rows.getInt(5), bytes));
          }
        }
      }
    }
    long until = Long.MAX_VALUE;
    packed.sort(Comparator.comparingLong(each -> each.first));
    if (packed.size() > parts) {
      until = Math.max(from, packed.remove(parts).first);
    }
    for (Packed each : packed) {
      all.addAll(ArchiveRows.read(scope, each.month, each.part, each.bytes).encounters());
    }
    long end = until;
    List<Encounter> some =
        all.stream()
            .filter(
                each ->
                    EncounterOrder.overlaps(each, range)
                        && follows(each, from, id)
                        && (end == Long.MAX_VALUE || EncounterOrder.nanos(each.start()) < end))
            .sorted(EncounterOrder.BY_START)
            .limit(most)
            .toList();
    return new Chunk(some, until);
  }

  void bind(
      PreparedStatement between,
      EncounterScope scope,
      TimeRange range,
      long from,
      String id,
      int most,
      int parts)
      throws SQLException {
    long start = EncounterOrder.nanos(range.start());
    long stop = EncounterOrder.nanos(range.stop());
    statements.array(between, 1, "int4", Reach.all());
    statements.array(between, 2, "int8", Reach.since(start));
    int next = Statements.bind(between, scope, 3);
    between.setLong(next++, stop);
    between.setLong(next++, start);
    between.setLong(next++, from);
    between.setString(next++, id);
    between.setInt(next++, most);
    between.setInt(next++, most);
    next = Statements.bind(between, scope, next);
    between.setLong(next++, stop);
    between.setLong(next++, start);
    between.setLong(next++, from);
    between.setInt(next, parts);
  }

  private static boolean follows(Encounter each, long start, String id) {
    long own = EncounterOrder.nanos(each.start());
    return own > start || (own == start && EncounterOrder.compareCodePoints(each.id(), id) > 0);
  }
}
