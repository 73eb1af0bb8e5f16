package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Some of the ended encounters that began in one month, UTC: a row of the archive.
 *
 * @param month counted from the year 0
 * @param part of the month, 0 and up
 * @param encounters in order of start; none of a part that is to go
 */
record ArchivePart(int month, int part, List<Encounter> encounters) {
  /** The month in which a time lies. */
  static int month(Instant time) {
    ZonedDateTime at = time.atZone(ZoneOffset.UTC);
    return at.getYear() * 12 + at.getMonthValue() - 1;
  }

  /** When the month of a time begins; no earlier than times can be. */
  static Instant beginning(Instant time) {
    ZonedDateTime at = time.atZone(ZoneOffset.UTC);
    Instant first = at.toLocalDate().withDayOfMonth(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    return first.isBefore(EncounterOrder.EARLIEST) ? EncounterOrder.EARLIEST : first;
  }

  /** Without this one. */
  ArchivePart without(String id) {
    return new ArchivePart(
        month, part, encounters.stream().filter(each -> !each.id().equals(id)).toList());
  }

  /** With others of the month. */
  ArchivePart with(List<Encounter> others) {
    return new ArchivePart(
        month,
        part,
        Stream.concat(encounters.stream(), others.stream())
            .sorted(EncounterOrder.BY_START)
            .toList());
  }

  long firstStart() {
    return EncounterOrder.nanos(encounters.get(0).start());
  }

  long lastStart() {
    return EncounterOrder.nanos(encounters.get(encounters.size() - 1).start());
  }

  long lastEnd() {
    return encounters.stream()
        .mapToLong(each -> EncounterOrder.nanos(Objects.requireNonNull(each.end())))
        .max()
        .orElseThrow();
  }
}
