package dev.aquifer.examples;

import dev.aquifer.cache.Cached;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;

/** What an airport may ask of its own departures. The airport is the tenant. */
public interface Departures {
  /** One departure. */
  @SqlQuery(
      """
      select id, departed_at, destination, delay_minutes, distance_miles
        from flight where tenant = :tenant and id = :id
      """)
  @Cached(ttl = "10m")
  Optional<Departure> byId(long id);

  /** A day's board, in order of departure. */
  @SqlQuery(
      """
      select f.id, f.departed_at, a.city, a.name as airport, f.delay_minutes
        from flight f join airport a on a.iata = f.destination
       where f.tenant = :tenant and f.departed_at >= :day and f.departed_at < :day + interval '1 day'
       order by f.departed_at, f.id
      """)
  @Cached(ttl = "10m")
  List<BoardLine> board(OffsetDateTime day);

  /** Delays by destination, the busiest first. */
  @SqlQuery(
      """
      select destination, count(*) as flights, avg(delay_minutes)::float8 as mean_delay, max(delay_minutes) as worst_delay
        from flight where tenant = :tenant
       group by destination order by count(*) desc, destination limit 20
      """)
  @Cached(ttl = "10m")
  List<DelaySummary> delays();

  /**
   * Notes a new delay. At commit, whatever depends on the table is void for this airport, on every
   * node.
   */
  @SqlUpdate("update flight set delay_minutes = :minutes where tenant = :tenant and id = :id")
  int delay(long id, int minutes);

  /** Corrects the delay of the flights to a destination that left at that time. */
  @SqlUpdate(
      """
      update flight set delay_minutes = :minutes
       where tenant = :tenant and departed_at = :departedAt and destination = :destination
      """)
  int correct(OffsetDateTime departedAt, String destination, int minutes);

  /** One departure. */
  record Departure(
      long id,
      OffsetDateTime departedAt,
      String destination,
      int delayMinutes,
      int distanceMiles) {}

  /** A line of the board. */
  record BoardLine(
      long id, OffsetDateTime departedAt, String city, String airport, int delayMinutes) {}

  /** The delays to one destination. */
  record DelaySummary(String destination, long flights, double meanDelay, int worstDelay) {}
}
