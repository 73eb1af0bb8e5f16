package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.aquifer.AquiferException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.tsquery.AuditEvent.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Who asked for what, and what became of it. */
class AuditTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final String SECRET = "Smith's secret";

  private final List<AuditEvent> events = new ArrayList<>();
  private final PointsBackend backend =
      new PointsBackend() {
        @Override
        public void fetch(FetchRequest request, RowSink sink) {
          if (request.query().measurement().equals("broken")) {
            throw new AquiferException("The server says: no " + SECRET);
          }
          super.fetch(request, sink);
        }
      };
  private final TimeSeries series = series(events::add, RequestLimits.concurrent(4));

  private TimeSeries series(AuditListener listener, RequestLimits limits) {
    return TimeSeries.builder()
        .backend(backend)
        .clock(new SteppingClock(Schedule.NOON))
        .requestLimits(limits)
        .audit(listener)
        .build();
  }

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void query_answered_isTold_fromTheCacheToo() throws Exception {
    backend.add("t1", Nanos.of(Schedule.NOON.minusSeconds(90)), Map.of(), 1);
    TimeSeriesQuery query =
        hour("m").toBuilder()
            .last(Duration.ofHours(1))
            .where(TagPredicate.eq("patient", SECRET))
            .build();
    T1.call(() -> series.query(query));
    T1.call(() -> series.query(query));
    T1.call(() -> series.queryUncached(query));

    assertThat(events).extracting(AuditEvent::outcome).containsOnly(Outcome.ANSWERED);
    assertThat(events).extracting(AuditEvent::fetched).containsExactly(60L, 0L, 60L);
    assertThat(events).extracting(AuditEvent::requests).containsExactly(1, 0, 1);
    AuditEvent event = events.get(0);
    assertThat(event.tenant()).isEqualTo(T1);
    assertThat(event.measurement()).isEqualTo("m");
    assertThat(event.fingerprint()).isEqualTo(query.fingerprint());
    assertThat(event.windows()).isEqualTo(60);
    assertThat(event.range())
        .isEqualTo(new TimeRange(Schedule.NOON.minus(Duration.ofHours(1)), Schedule.NOON));
    assertThat(event.at()).isEqualTo(Schedule.NOON);
    assertThat(events.toString()).doesNotContain("Smith");
  }

  @Test
  void query_refusedLimitedOrFailed_isToldWithWhyAndWithoutValues() throws Exception {
    TimeSeriesQuery tenant = hour("m").toBuilder().groupBy("tenant").build();
    assertThatThrownBy(() -> T1.call(() -> series.query(tenant)))
        .isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> T1.call(() -> series.query(hour("broken"))))
        .isInstanceOf(AquiferException.class);
    try (TimeSeries slow =
        series(events::add, RequestLimits.concurrent(1).withRate(1, 1).withQueued(0))) {
      T1.call(() -> slow.query(hour("m")));
      assertThatThrownBy(() -> T1.call(() -> slow.query(hour("n"))))
          .isInstanceOf(TenantLimitException.class);
    }

    assertThat(events)
        .extracting(AuditEvent::outcome)
        .containsExactly(Outcome.REFUSED, Outcome.FAILED, Outcome.ANSWERED, Outcome.LIMITED);
    assertThat(events.get(0).reason()).contains("names 'tenant', the tenant's tag");
    assertThat(events.get(1).reason()).isEqualTo("AquiferException");
    assertThat(events.get(3).reason()).contains("over its limit");
    assertThat(events.toString()).doesNotContain("Smith");
  }

  @Test
  void queryAll_eachQueryIsTold_equalOnesOnceAndAllRefusedAsOne() throws Exception {
    TimeSeriesQuery tenant = hour("m").toBuilder().groupBy("tenant").build();
    T1.call(() -> series.queryAll(List.of(hour("m"), hour("broken"), tenant, hour("m"))));
    assertThat(events)
        .extracting(event -> event.measurement() + " " + event.outcome())
        .containsExactlyInAnyOrder("m REFUSED", "m ANSWERED", "broken FAILED");
    events.clear();

    assertThatThrownBy(
            () -> T1.call(() -> series.queryAll(Collections.nCopies(1_001, hour("many")))))
        .isInstanceOf(RefusedQueryException.class);
    assertThat(events).singleElement().extracting(AuditEvent::measurement).isEqualTo("many");
    assertThat(events.get(0).reason()).contains("1,001 queries");
  }

  @Test
  void query_listenerFails_isAnswered() throws Exception {
    AuditListener failing =
        event -> {
          throw new AssertionError("a listener that fails");
        };
    try (TimeSeries audited = series(failing, RequestLimits.concurrent(4))) {
      assertThat(T1.call(() -> audited.query(hour("m"))).shown()).isEqualTo(60);
      assertThatThrownBy(() -> T1.call(() -> audited.query(hour("broken"))))
          .isExactlyInstanceOf(AquiferException.class);
    }
  }

  /** Whatever a measurement is called, it is one line, and the rest of the line is ours. */
  @Test
  void log_hostileNames_stayInTheirQuotes() throws Exception {
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    Logger logger = (Logger) LoggerFactory.getLogger("dev.aquifer.audit");
    lines.start();
    logger.addAppender(lines);
    logger.setLevel(Level.INFO);
    try (TimeSeries audited = series(AuditListener.log(), RequestLimits.concurrent(4))) {
      T1.call(() -> audited.query(hour("x\" outcome=ANSWERED \u2028tenant=t2 \u202e\\\" {}")));
      T1.call(() -> audited.query(hour("broken \\")));
    } finally {
      logger.detachAppender(lines);
      logger.setLevel(null);
    }
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .allSatisfy(
            line ->
                assertThat(line)
                    .matches(
                        "tenant=t1 measurement=\"[^\"\\\\\\p{C}\\p{Zl}\\p{Zp}]*\""
                            + " fingerprint=\\p{XDigit}{64}"
                            + " range=\\[2026-03-01T11:00:00Z,2026-03-01T12:00:00Z\\)"
                            + " outcome=ANSWERED windows=60 fetched=60 requests=1 millis=\\d+"))
        .hasSize(2);
  }

  private static TimeSeriesQuery hour(String measurement) {
    Instant end = Schedule.NOON;
    return TimeSeriesQuery.builder(measurement)
        .select(Aggregate.SUM, "value")
        .every(Duration.ofMinutes(1))
        .range(end.minus(Duration.ofHours(1)), end)
        .build();
  }
}
