package dev.aquifer.tsquery;

import dev.aquifer.testkit.Proof;
import org.junit.jupiter.api.Test;

/**
 * Windows by the calendar, in zones, overlapping or apart: cached or not, they are what they are.
 */
class CalendarSchedulesTest {
  @Test
  void query_afterRandomSchedulesByTheCalendar_isWhatTheCalendarSays() {
    Proof.of("calendar-schedules")
        .tries(100, 100_000)
        .each(
            random -> {
              PointsBackend backend = new PointsBackend();
              Schedule.Writer writer =
                  (tenant, time, device, ward, value) ->
                      backend.add(tenant, Nanos.of(time), Schedule.tags(device, ward), value);
              new CalendarSchedule(random, writer, "vitals", window -> true).run(backend, 25);
            });
  }
}
