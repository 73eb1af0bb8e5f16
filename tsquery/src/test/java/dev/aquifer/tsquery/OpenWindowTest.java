package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A day that has not ended is put together of what is settled of it, and of what is read anew. */
class OpenWindowTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Instant DAY = Instant.parse("2026-03-01T00:00:00Z");
  private static final Instant NOW = DAY.plus(Duration.ofHours(18)).plusSeconds(300);
  private static final Duration LATENESS = Duration.ofMinutes(10);

  private final SteppingClock clock = new SteppingClock(NOW);
  private final AskedBackend backend = new AskedBackend();
  private final TimeSeries series = series().build();

  private TimeSeriesBuilder series() {
    return TimeSeries.builder().backend(backend).clock(clock).lateness(LATENESS);
  }

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void query_openDayAgain_readsWhatIsNotSettledAlone() throws Exception {
    points();
    TimeSeriesQuery.Builder query = days().select(Aggregate.COUNT, "value");
    List.of(Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX)
        .forEach(each -> query.select(each, "value"));
    query.select(Aggregate.FIRST, "value").select(Aggregate.LAST, "value");
    T1.call(() -> series.query(query.build()));
    backend.asked.clear();
    clock.advance(Duration.ofSeconds(10));
    TimeSeriesQuery later = query.build().withRange(DAY.minus(Duration.ofDays(9)), now());

    TimeSeriesResult result = T1.call(() -> series.query(later));

    assertThat(backend.asked)
        .containsExactly(new TimeRange(DAY.plus(Duration.ofMinutes(17 * 60 + 50)), now()));
    assertThat(result.requests()).isEqualTo(1);
    assertThat(result.fetched()).isEqualTo(1);
    assertThat(result.series())
        .hasSize(3)
        .isEqualTo(T1.call(() -> series.queryUncached(later)).series());
  }

  @Test
  void query_rangeThatBeginsWithinADay_takesOneRequest() throws Exception {
    points();
    TimeSeriesQuery query = days().select(Aggregate.MEAN, "value").last(Duration.ofDays(3)).build();
    T1.call(() -> series.query(query));
    clock.advance(Duration.ofSeconds(10));

    TimeSeriesResult result = T1.call(() -> series.query(query));

    assertThat(result.requests()).isEqualTo(1);
    assertThat(result.series()).isEqualTo(T1.call(() -> series.queryUncached(query)).series());
  }

  @Test
  void query_afterALatePointThatWasToldOf_showsIt() throws Exception {
    points();
    TimeSeriesQuery query = days().select(Aggregate.MAX, "value").build();
    T1.call(() -> series.query(query));
    Instant late = DAY.plus(Duration.ofHours(3));
    backend.add("t1", Nanos.of(late), Map.of("device", "d1"), 5_000);
    T1.run(() -> series.written("vitals", List.of(late)));

    assertThat(last(T1.call(() -> series.query(query)), "d1")).isEqualTo(5_000L);
  }

  /** Windows of ten minutes are kept for minutes after their end; a part of a day is not. */
  @Test
  void query_partsThatAnotherQueryKept_areNoOlderThanAnOpenWindow() throws Exception {
    points();
    TimeSeriesQuery minutes =
        days().every(Duration.ofMinutes(10)).select(Aggregate.MAX, "value").build();
    T1.call(() -> series.query(minutes));
    clock.advance(Duration.ofSeconds(5));
    backend.add("t1", Nanos.of(NOW.minusSeconds(400)), Map.of("device", "d1"), 6_000);

    TimeSeriesQuery query = days().select(Aggregate.MAX, "value").build();

    assertThat(last(T1.call(() -> series.query(minutes)), "d1")).isNotEqualTo(6_000L);
    assertThat(last(T1.call(() -> series.query(query)), "d1")).isEqualTo(6_000L);
  }

  @Test
  void query_sumsThatPass64Bits_areTheServers() throws Exception {
    for (int hour : List.of(1, 2, 3)) {
      Instant time = DAY.plus(Duration.ofHours(hour));
      backend.add("t1", Nanos.of(time), Map.of("device", "d1"), 0x1p62);
    }
    TimeSeriesQuery query = days().select(Aggregate.SUM, "value").build();

    TimeSeriesResult result = T1.call(() -> series.query(query));

    assertThat(last(result, "d1")).isEqualTo(Long.MAX_VALUE);
    assertThat(result.requests()).isEqualTo(2);
  }

  @Test
  void query_moreParts_thanTheTenantMayHavePoints_isReadWhole() throws Exception {
    points();
    series.limits(T1, new QueryLimits(100, Duration.ofDays(20), 60));
    TimeSeriesQuery query = days().select(Aggregate.COUNT, "value").build();

    TimeSeriesResult result = T1.call(() -> series.query(query));

    assertThat(result.series()).isEqualTo(T1.call(() -> series.queryUncached(query)).series());
  }

  @Test
  void queryAll_partsThatPassTheLimitTogether_areReadWhole() throws Exception {
    points();
    int roomy = asked("x", 10_000);

    // The parts of one of them have about 330.
    assertThat(asked("y", 400)).isGreaterThan(roomy);
  }

  /** How many requests eight queries of the open day take. */
  private int asked(String value, int points) throws Exception {
    series.limits(T1, new QueryLimits(1_000, Duration.ofDays(20), points));
    List<TimeSeriesQuery> queries = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      TimeSeriesQuery.Builder query = days().select(Aggregate.MAX, "value").range(DAY, NOW);
      queries.add(query.where(TagPredicate.ne("device", value + i)).build());
    }
    backend.asked.clear();
    for (BatchAnswer answer : T1.call(() -> series.queryAll(queries))) {
      assertThat(answer.orThrow().series())
          .isEqualTo(T1.call(() -> series.queryUncached(answer.query())).series())
          .hasSize(3);
      backend.asked.remove(backend.asked.size() - 1);
    }
    return backend.asked.size();
  }

  @Test
  void query_windowsOfManyYears_areAnsweredToo() throws Exception {
    points();
    series.limits(T1, new QueryLimits(100, Duration.ofDays(60_000), 10_000));
    for (TimeSeriesQuery.Builder years :
        List.of(
            days().every(Period.ofYears(1)),
            days().every(Period.ofYears(20)).offset(Duration.ofDays(3)),
            days().every(Duration.ofDays(365 * 130)))) {
      TimeSeriesQuery query =
          years
              .select(Aggregate.COUNT, "value")
              .range(DAY.minus(Duration.ofDays(30_000)), NOW)
              .build();

      assertThat(T1.call(() -> series.query(query)).series())
          .isEqualTo(T1.call(() -> series.queryUncached(query)).series());
    }
  }

  @Test
  void query_whatCannotBePutTogether_isReadWhole() throws Exception {
    points();
    for (TimeSeriesQuery.Builder query :
        List.of(
            days().select(Aggregate.MEDIAN, "value"),
            days().select(Aggregate.COUNT, "value").select(Aggregate.SPREAD, "value"),
            days().period(Duration.ofDays(2)).select(Aggregate.COUNT, "value"),
            days().every(Duration.ofHours(5)).select(Aggregate.COUNT, "value"))) {
      assertThat(T1.call(() -> series.explain(query.build())).toString())
          .doesNotContain("put together");
    }
    try (TimeSeries lateness = series().lateness(Duration.ofHours(12)).build()) {
      TimeSeriesQuery half = days().select(Aggregate.COUNT, "value").build();
      assertThat(T1.call(() -> lateness.explain(half)).toString()).doesNotContain("put together");
    }
  }

  @Test
  void explain_openDay_saysOfWhatItIsPutTogether() throws Exception {
    points();
    TimeSeriesQuery query = days().select(Aggregate.MEAN, "value").build();
    T1.call(() -> series.query(query));
    clock.advance(Duration.ofSeconds(10));

    Explanation explanation = T1.call(() -> series.explain(query));

    assertThat(explanation.remarks())
        .containsExactly(
            "The open window is put together of 109 parts of PT10M, of which 107 are cached.");
    assertThat(explanation.statements()).hasSize(1);
    assertThat(explanation.cached()).isEqualTo(9);
  }

  /** A point in about half an hour a device, by the numbers of the parts before. */
  @Test
  void query_openDayAgain_tellsTheBackendThatThereAreFewPoints() throws Exception {
    points();
    TimeSeriesQuery query = days().select(Aggregate.MEAN, "value").build();
    T1.call(() -> series.query(query));
    assertThat(backend.few).doesNotContain(true);
    clock.advance(Duration.ofSeconds(10));
    TimeSeriesQuery later = query.withRange(DAY, now());

    T1.call(() -> series.explain(later));
    T1.call(() -> series.query(later));

    assertThat(backend.shown).containsExactly(true);
    assertThat(backend.few).endsWith(true);
  }

  @Test
  void query_openDayWithManyPoints_doesNotTellSo() throws Exception {
    points();
    for (int i = 0; i < 6 * 3_600; i += 10) {
      Instant time = NOW.minusSeconds(i);
      backend.add("t1", Nanos.of(time), Map.of("device", "d1"), 1);
    }
    TimeSeriesQuery query = days().groupBy().select(Aggregate.MEAN, "value").build();
    T1.call(() -> series.query(query));
    clock.advance(Duration.ofSeconds(10));

    T1.call(() -> series.query(query));

    assertThat(backend.few).hasSizeGreaterThan(1).doesNotContain(true);
  }

  /** After an hour there are many windows to read, and their numbers are unknown. */
  @Test
  void query_afterAWhile_doesNotTellSo() throws Exception {
    points();
    TimeSeriesQuery query = days().select(Aggregate.MEAN, "value").build();
    T1.call(() -> series.query(query));
    clock.advance(Duration.ofHours(3));

    T1.call(() -> series.query(query.withRange(DAY, now())));

    assertThat(backend.few).hasSizeGreaterThan(1).doesNotContain(true);
  }

  @Test
  void query_serverGone_saysSoAndAnswersAgainLater() throws Exception {
    points();
    TimeSeriesQuery query = days().select(Aggregate.MEAN, "value").build();
    backend.gone = true;
    assertThatThrownBy(() -> T1.call(() -> series.query(query)))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("gone");
    backend.gone = false;

    assertThat(T1.call(() -> series.query(query)).series())
        .isEqualTo(T1.call(() -> series.queryUncached(query)).series());
  }

  @Test
  void queryAll_openDays_areTheSame() throws Exception {
    points();
    List<TimeSeriesQuery> queries =
        List.of(
            days().select(Aggregate.MEAN, "value").build(),
            days().select(Aggregate.MAX, "value").groupBy().build(),
            days().select(Aggregate.MEDIAN, "value").build());
    T1.call(() -> series.queryAll(queries));
    clock.advance(Duration.ofSeconds(10));
    backend.add("t1", Nanos.of(now().minusSeconds(1)), Map.of("device", "d1"), 7_000);

    List<BatchAnswer> answers = T1.call(() -> series.queryAll(queries));

    for (BatchAnswer answer : answers) {
      assertThat(answer.orThrow().series())
          .isEqualTo(T1.call(() -> series.queryUncached(answer.query())).series());
    }
  }

  private Instant now() {
    return clock.instant();
  }

  private void points() {
    for (Instant time = DAY.minus(Duration.ofDays(9));
        time.isBefore(NOW);
        time = time.plusSeconds(700)) {
      long nanos = Nanos.of(time);
      String device = "d" + nanos / 1_000_000_000 % 3;
      backend.add(
          "t1", nanos, Map.of("device", device), (double) (nanos / 7_000_000_000L % 997 - 300));
    }
  }

  private static TimeSeriesQuery.Builder days() {
    return TimeSeriesQuery.builder("vitals")
        .every(Duration.ofDays(1))
        .groupBy("device")
        .range(DAY.minus(Duration.ofDays(9)), NOW);
  }

  private static Object last(TimeSeriesResult result, String device) {
    Series of =
        result.series().stream()
            .filter(each -> device.equals(each.group().get("device")))
            .findFirst()
            .orElseThrow();
    return of.columns().get(0).valueAt(of.size() - 1);
  }

  /** Of whole numbers; remembers the ranges that it was asked for. */
  private static final class AskedBackend extends PointsBackend {
    private final List<TimeRange> asked = new ArrayList<>();
    private final List<Boolean> few = new ArrayList<>();
    private final List<Boolean> shown = new ArrayList<>();
    private boolean gone;

    @Override
    boolean whole() {
      return true;
    }

    @Override
    public int queriesInRequest() {
      return 8;
    }

    @Override
    public List<StatementText> render(FetchRequest request) {
      shown.add(request.few());
      return super.render(request);
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      if (gone) {
        throw new UnavailableException("gone");
      }
      asked.addAll(request.ranges());
      few.add(request.few());
      super.fetch(request, sink);
    }
  }
}
