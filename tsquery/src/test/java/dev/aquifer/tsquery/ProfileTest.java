package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.MissingTenantException;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Report;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProfileTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Tenant T2 = Tenant.of("t2");

  private final SteppingClock clock = new SteppingClock(Schedule.NOON);
  private final PointsBackend backend =
      new PointsBackend() {
        @Override
        public void fetch(FetchRequest request, RowSink sink) {
          if (request.query().measurement().equals("broken")) {
            throw new AquiferException("broken");
          }
          super.fetch(request, sink);
        }

        @Override
        public List<String> remarks(FetchRequest request) {
          return switch (request.query().measurement()) {
            case "lost" -> List.of("The windows of lost are computed late");
            case "odd" -> throw new IllegalStateException("a backend that fails");
            default -> List.of();
          };
        }
      };
  private final TimeSeries series =
      TimeSeries.builder().backend(backend).clock(clock).profiled(5).build();

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void profile_ofATenant_hasItsOwnFiguresAlone() throws Exception {
    for (int i = 0; i < 3_600; i += 10) {
      backend.add("t1", Nanos.of(Schedule.NOON.minusSeconds(i + 1)), Map.of(), i);
    }
    TimeSeriesQuery query = hour("m", 0);
    T1.call(() -> series.query(query));
    T1.call(() -> series.query(query));
    T1.call(() -> series.queryAll(List.of(query, query)));
    assertThatThrownBy(() -> T1.call(() -> series.query(hour("broken", 0))))
        .isInstanceOf(AquiferException.class);

    List<QueryProfile> profiles = T1.call(series::profile);

    assertThat(profiles).hasSize(2);
    QueryProfile profile = of(profiles, "m");
    assertThat(profile.count()).isEqualTo(3);
    assertThat(profile.windows()).isEqualTo(180);
    assertThat(profile.fetched()).isEqualTo(60);
    assertThat(profile.points()).isEqualTo(180);
    assertThat(profile.requests()).isEqualTo(1);
    assertThat(profile.hitShare()).isBetween(0.666, 0.667);
    assertThat(profile.refetched() + profile.clipped() + profile.failed()).isZero();
    assertThat(profile.time()).isPositive();
    assertThat(profile.p50()).isLessThanOrEqualTo(profile.p99());
    assertThat(profile.suggestions()).isEmpty();
    assertThat(of(profiles, "broken").failed()).isEqualTo(1);
    assertThat(T2.call(series::profile)).isEmpty();
    assertThatThrownBy(series::profile).isInstanceOf(MissingTenantException.class);
  }

  @Test
  void suggestions_cutWindowsAndShortLives_areNamedWithTheirFigures() throws Exception {
    TimeSeriesQuery sliding = hour("m", 0).toBuilder().last(Duration.ofMinutes(10)).build();
    TimeSeriesQuery voided = hour("v", 60);
    for (int i = 0; i < 20; i++) {
      clock.advance(Duration.ofSeconds(7));
      T1.call(() -> series.query(sliding));
      T1.call(() -> series.query(voided));
      T1.run(() -> series.invalidate("v", Instant.EPOCH, Schedule.NOON));
    }
    assertThat(of(T1.call(series::profile), "m").suggestions())
        .anySatisfy(
            text -> assertThat(text).contains("inside a window of ", "% of what is fetched ("));
    QueryProfile profile = of(T1.call(series::profile), "v");
    assertThat(profile.refetched()).isEqualTo(19 * 60);
    assertThat(profile.suggestions())
        .singleElement()
        .asString()
        .startsWith("95 % of the windows in answers (1,140 of 1,200) were fetched again");
  }

  @Test
  void suggestions_remarksManyWindowsAndFailures_areNamed() throws Exception {
    T1.call(() -> series.query(hour("lost", 0)));
    T1.call(() -> series.query(hour("odd", 0)));
    TimeSeriesQuery wide =
        hour("wide", 0).toBuilder().every(Duration.ofSeconds(1)).last(Duration.ofHours(2)).build();
    for (int i = 0; i < 10; i++) {
      T1.call(() -> series.query(wide));
      assertThatThrownBy(() -> T1.call(() -> series.query(hour("broken", 0))))
          .isInstanceOf(AquiferException.class);
    }
    List<QueryProfile> profiles = T1.call(series::profile);
    assertThat(of(profiles, "lost").suggestions())
        .containsExactly("The windows of lost are computed late; 1 requests were answered so.");
    assertThat(of(profiles, "odd").remarks()).isEmpty();
    assertThat(of(profiles, "wide").suggestions())
        .singleElement()
        .asString()
        .contains("7,200 windows");
  }

  @Test
  void profile_moreFingerprintsThanItKeeps_isBoundedAndNamesTheHeaviest() throws Exception {
    TimeSeriesQuery heavy = hour("heavy", 0).toBuilder().every(Duration.ofMillis(50)).build();
    for (int i = 0; i < 20; i++) {
      T1.call(() -> series.queryUncached(heavy));
    }
    for (int i = 0; i < 100; i++) {
      TimeSeriesQuery light = hour("light" + i, 0);
      T1.call(() -> series.query(light));
      T1.call(() -> series.queryUncached(heavy));
    }
    List<QueryProfile> profiles = T1.call(series::profile);
    assertThat(profiles).hasSize(5);
    assertThat(profiles.get(0).query().measurement()).isEqualTo("heavy");
    assertThat(profiles.get(0).count() - profiles.get(0).unseen()).isEqualTo(120);
    assertThat(profiles.get(4).unseen()).isPositive();
    assertThatThrownBy(() -> TimeSeries.builder().profiled(-1))
        .isInstanceOf(ConfigurationException.class);
  }

  /** A page shows what all tenants ask, without what they ask for. */
  @Test
  void costs_ofAllTenants_haveNoValues() throws Exception {
    TimeSeriesQuery secret =
        hour("m", 0).toBuilder().where(TagPredicate.eq("patient", "Smith")).build();
    T2.call(() -> series.query(secret));
    Report report = series.costs();
    assertThat(report.rows().get(0)).contains("t2").hasSize(12);
    assertThat(report.rows().toString()).startsWith("[[m: [sum(value)] every ");
    assertThat(report.rows().toString()).doesNotContain("Smith");
    for (int i = 0; i < 60; i++) {
      Tenant tenant = Tenant.of("t" + (100 + i));
      tenant.call(() -> series.query(hour("many", 0)));
    }
    assertThat(report.rows())
        .hasSize(50)
        .allSatisfy(row -> assertThat(row).hasSameSizeAs(report.columns()));
  }

  @Test
  void quantiles_ofAnyTimes_areAtMostAQuarterTooHigh() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 200; round++) {
      TimeSketch sketch = new TimeSketch();
      long[] times = new long[1 + random.nextInt(100)];
      for (int i = 0; i < times.length; i++) {
        times[i] = 4 + (random.nextLong() >>> random.nextInt(1, 61));
        sketch.add(times[i]);
      }
      Arrays.sort(times);
      for (double share : new double[] {0.5, 0.95, 0.99, 1}) {
        long exact = times[Math.max(0, (int) Math.ceil(share * times.length) - 1)];
        double told = sketch.quantile(share).toNanos();
        assertThat(told).isBetween((double) exact, 1.25 * exact + 1);
      }
    }
  }

  private static QueryProfile of(List<QueryProfile> profiles, String measurement) {
    return profiles.stream()
        .filter(each -> each.query().measurement().equals(measurement))
        .findAny()
        .orElseThrow();
  }

  /** The hour that ended so many minutes ago. */
  private static TimeSeriesQuery hour(String measurement, int minutes) {
    Instant end = Schedule.NOON.minus(Duration.ofMinutes(minutes));
    return TimeSeriesQuery.builder(measurement)
        .select(Aggregate.SUM, "value")
        .every(Duration.ofMinutes(1))
        .range(end.minus(Duration.ofHours(1)), end)
        .build();
  }
}
