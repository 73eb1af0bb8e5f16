package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.MissingTenantException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TimeSeriesTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Tenant T2 = Tenant.of("t2");

  private final SteppingClock clock = new SteppingClock(Schedule.NOON);
  private final PointsBackend backend = new PointsBackend();
  private final List<String> observed = new ArrayList<>();
  private final TimeSeries series =
      TimeSeries.builder()
          .backend(backend)
          .clock(clock)
          .observer(
              new Observer() {
                @Override
                public void windowAnswered(
                    String measurement, Tenant tenant, long shown, long fetched, int requests) {
                  observed.add(
                      measurement + " " + tenant + " " + shown + " " + fetched + " " + requests);
                }
              })
          .build();

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void query_withoutTenant_isRefused() {
    assertThatThrownBy(() -> series.query(hour().build()))
        .isInstanceOf(MissingTenantException.class);
    assertThatThrownBy(() -> series.invalidate("vitals", Instant.EPOCH, Schedule.NOON))
        .isInstanceOf(MissingTenantException.class);
    assertThat(backend.requests()).isZero();
  }

  @Test
  void query_thatNamesTheTenantsTag_isRefused() {
    for (TimeSeriesQuery query :
        List.of(
            hour().groupBy("tenant").build(),
            hour().select(Aggregate.LAST, "tenant").build(),
            hour()
                .where(
                    PointPredicate.or(
                        TagPredicate.eq("ward", "icu"),
                        PointPredicate.not(TagPredicate.matches("tenant", ".*"))))
                .build())) {
      assertThatThrownBy(() -> T1.call(() -> series.query(query)))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining("tenant's tag");
      assertThatThrownBy(() -> T1.call(() -> series.queryUncached(query)))
          .isInstanceOf(RefusedQueryException.class);
    }
    assertThat(backend.requests()).isZero();
  }

  @Test
  void query_passedByLimits_sendsNothing() {
    assertThatThrownBy(
            () -> T1.call(() -> series.query(hour().every(Duration.ofMillis(1)).build())))
        .isInstanceOf(RefusedQueryException.class);
    assertThat(backend.requests()).isZero();
  }

  @Test
  void query_moreSeriesThanTheLimitOnPoints_isRefusedAndNotKept() throws Exception {
    QueryLimits limits = new QueryLimits(1_000, Duration.ofDays(1), 60 * 3);
    try (TimeSeries small =
        TimeSeries.builder().backend(backend).clock(clock).limits(limits).build()) {
      for (int i = 0; i < 4; i++) {
        add("t1", -600, "d" + i, 1);
      }
      assertThatThrownBy(() -> T1.call(() -> small.query(hour().groupBy("device").build())))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining("180 points");
      assertThat(T1.call(() -> small.explain(hour().groupBy("device").build())).cached()).isZero();
    }
  }

  @Test
  void query_again_isAnsweredFromTheCache() throws Exception {
    add("t1", -600, "d1", 2);
    TimeSeriesResult first = T1.call(() -> series.query(hour().build()));
    TimeSeriesResult second = T1.call(() -> series.query(hour().build()));

    assertThat(second.series()).isEqualTo(first.series());
    assertThat(first.requests()).isEqualTo(1);
    assertThat(second.requests()).isZero();
    assertThat(second.fetched()).isZero();
    assertThat(observed).containsExactly("vitals t1 60 60 1", "vitals t1 60 0 0");
  }

  @Test
  void query_ofAnotherTenant_sharesNothing() throws Exception {
    add("t1", -600, "d1", 2);
    add("t2", -600, "d1", 3);
    T1.call(() -> series.query(hour().build()));
    TimeSeriesResult other = T2.call(() -> series.query(hour().build()));

    assertThat(other.fetched()).isEqualTo(60);
    assertThat(other.series().get(0).columns().get(0).doubleAt(0)).isEqualTo(3);
  }

  @Test
  void query_withAnotherFill_sharesTheWindows() throws Exception {
    add("t1", -600, "d1", 2);
    T1.call(() -> series.query(hour().build()));
    TimeSeriesResult filled = T1.call(() -> series.query(hour().fill(Fill.nulls()).build()));

    assertThat(filled.fetched()).isZero();
    assertThat(filled.series().get(0).size()).isEqualTo(60);
  }

  @Test
  void query_seriesThatFellSilentInTheRange_isLeftOut() throws Exception {
    add("t1", -3_000, "d1", 2);
    add("t1", -60, "d2", 2);
    TimeSeriesQuery filled = hour().groupBy("device").fill(Fill.nulls()).build();
    assertThat(T1.call(() -> series.query(filled)).series()).hasSize(2);

    TimeSeriesQuery later = filled.withRange(Schedule.NOON.minusSeconds(2_400), Schedule.NOON);
    TimeSeriesResult result = T1.call(() -> series.query(later));

    assertThat(result.fetched()).isZero();
    assertThat(result.series()).hasSize(1);
    assertThat(result.series().get(0).group()).containsEntry("device", "d2");
  }

  @Test
  void query_fills_asSaid() throws Exception {
    add("t1", -150, "d1", 4);
    TimeSeriesQuery.Builder query =
        TimeSeriesQuery.builder("vitals")
            .select(Aggregate.COUNT, "value")
            .select(Aggregate.SUM, "value")
            .every(Duration.ofMinutes(1))
            .range(Schedule.NOON.minusSeconds(240), Schedule.NOON);

    assertThat(values(query.fill(Fill.none()))).isEqualTo("[1] [4.0]");
    assertThat(values(query.fill(Fill.nulls()))).isEqualTo("[0, 1, 0, 0] [null, 4.0, null, null]");
    assertThat(values(query.fill(Fill.value(7L)))).isEqualTo("[7, 1, 7, 7] [7.0, 4.0, 7.0, 7.0]");
    assertThat(values(query.fill(Fill.previous()))).isEqualTo("[0, 1, 1, 1] [null, 4.0, 4.0, 4.0]");
  }

  @Test
  void invalidate_range_refetchesExactlyTheWindowsItTouches() throws Exception {
    TimeSeriesQuery query = hour().build();
    T1.call(() -> series.query(query));
    T2.call(() -> series.query(query));
    Instant at = Schedule.NOON.minusSeconds(1_800);
    T1.run(() -> series.invalidate("vitals", at.minusNanos(1), at.plusSeconds(60).plusNanos(1)));
    T1.run(() -> series.invalidate("other", Instant.EPOCH, Schedule.NOON));

    assertThat(T1.call(() -> series.query(query)).fetched()).isEqualTo(3);
    assertThat(T2.call(() -> series.query(query)).fetched()).isZero();
  }

  @Test
  void query_openWindow_isFetchedAgainAfterItsTime() throws Exception {
    TimeSeriesQuery query =
        hour().range(Schedule.NOON.minusSeconds(60), Schedule.NOON.plusSeconds(60)).build();
    T1.call(() -> series.query(query));
    assertThat(T1.call(() -> series.query(query)).fetched()).isZero();

    clock.advance(Duration.ofSeconds(5));
    assertThat(T1.call(() -> series.query(query)).fetched()).isPositive();
  }

  @Test
  void query_windowFetchedWhileOpen_doesNotTurnColdByAge() throws Exception {
    add("t1", 10, "d1", 1);
    TimeSeriesQuery query = hour().range(Schedule.NOON, Schedule.NOON.plusSeconds(60)).build();
    T1.call(() -> series.query(query));
    clock.advance(Duration.ofDays(30));

    assertThat(T1.call(() -> series.query(query)).fetched()).isEqualTo(1);
    clock.advance(Duration.ofDays(300));
    assertThat(T1.call(() -> series.query(query)).fetched()).isZero();
  }

  @Test
  void query_clockSetBack_fetchesAgain() throws Exception {
    TimeSeriesQuery query = hour().build();
    T1.call(() -> series.query(query));
    clock.advance(Duration.ofSeconds(-1));

    assertThat(T1.call(() -> series.query(query)).fetched()).isEqualTo(60);
  }

  @Test
  void query_unalignedEdges_areFetchedEachTimeInOneRequest() throws Exception {
    Instant start = Schedule.NOON.minusSeconds(3_000 - 7);
    Instant stop = Schedule.NOON.minusSeconds(61);
    TimeSeriesQuery query = hour().range(start, stop).build();
    T1.call(() -> series.query(query));
    TimeSeriesResult again = T1.call(() -> series.query(query));

    assertThat(again.fetched()).isEqualTo(2);
    assertThat(again.requests()).isEqualTo(1);
  }

  @Test
  void explain_afterAQuery_tellsCachedFromMissing() throws Exception {
    Instant start = Schedule.NOON.minusSeconds(3_600 - 7);
    T1.call(() -> series.query(hour().build()));
    TimeSeriesQuery query = hour().range(start, Schedule.NOON.plusSeconds(120)).build();

    Explanation explanation = T1.call(() -> series.explain(query));

    assertThat(explanation.windows()).isEqualTo(62);
    assertThat(explanation.cached()).isEqualTo(59);
    assertThat(explanation.missing()).isEqualTo(2);
    assertThat(explanation.clipped()).isEqualTo(1);
    assertThat(explanation.statements()).hasSize(2);
    assertThat(explanation.toString()).contains("59 cached").contains(query.fingerprint());
    assertThat(backend.requests()).isEqualTo(1);
  }

  @Test
  void query_relativeRange_endsNow() throws Exception {
    TimeSeriesQuery query = hour().last(Duration.ofMinutes(30)).build();

    TimeSeriesResult result = T1.call(() -> series.query(query));

    assertThat(result.range())
        .isEqualTo(new TimeRange(Schedule.NOON.minusSeconds(1_800), Schedule.NOON));
  }

  @Test
  void close_isIdempotentAndRefusesCalls() {
    series.close();
    series.close();

    assertThatThrownBy(() -> T1.call(() -> series.query(hour().build())))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void query_underLittleMemory_staysWithinIt() throws Exception {
    try (TimeSeries small =
        TimeSeries.builder().backend(backend).clock(clock).maximumWeight(15_000).build()) {
      for (int i = 0; i < 50; i++) {
        add("t1", -60L * i, "d" + i, 1);
        TimeSeriesQuery query = hour().where(TagPredicate.eq("device", "d" + i)).build();
        Tenant.of("tenant" + i).call(() -> small.query(query));
        T1.call(() -> small.query(query));
      }
      assertThat(small.cache().weight()).isLessThanOrEqualTo(15_000);
      assertThat(small.cache().ledgers()).isLessThan(30);
    }
  }

  @Test
  void invalidate_allThatIsKept_leavesNothing() throws Exception {
    T1.call(() -> series.query(hour().build()));
    T1.run(() -> series.invalidate("vitals", Schedule.NOON.minusSeconds(60), Schedule.NOON));
    assertThat(series.cache().ledgers()).isEqualTo(1);
    T1.run(() -> series.invalidate("vitals"));
    assertThat(series.cache().ledgers()).isZero();
  }

  @Test
  void builder_contradictions_areRefused() {
    assertThatThrownBy(() -> TimeSeries.builder().build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("backend");
    assertThatThrownBy(() -> TimeSeries.builder().timeout(Duration.ZERO))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> new QueryLimits(0, Duration.ofDays(1), 1))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(
            () -> SeriesTable.builder("m").tag("who", "tenant").field("v", ValueKind.LONG).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("who");
    assertThatThrownBy(() -> InfluxQlBackend.builder("http://u:hunter2@host", "db").build())
        .isInstanceOf(ConfigurationException.class)
        .message()
        .doesNotContain("hunter2");
    assertThatThrownBy(() -> InfluxQlBackend.builder("http://host", "db").user("u", "p").token("t"))
        .isInstanceOf(ConfigurationException.class);
  }

  private String values(TimeSeriesQuery.Builder query) throws Exception {
    List<ValueColumn> columns =
        T1.call(() -> series.query(query.build())).series().get(0).columns();
    return (columns.get(0) + " " + columns.get(1)).replaceAll("[a-z]+\\([a-z]+\\)=", "");
  }

  private void add(String tenant, long secondsFromNoon, String device, double value) {
    long time = Nanos.of(Schedule.NOON.plusSeconds(secondsFromNoon));
    backend.add(tenant, time, Map.of("device", device), value);
  }

  /** The hour before noon, by minutes. */
  private static TimeSeriesQuery.Builder hour() {
    return TimeSeriesQuery.builder("vitals")
        .select(Aggregate.SUM, "value")
        .every(Duration.ofMinutes(1))
        .range(Schedule.NOON.minusSeconds(3_600), Schedule.NOON);
  }
}
