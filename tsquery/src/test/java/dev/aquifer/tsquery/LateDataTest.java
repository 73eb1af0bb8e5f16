package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ClusterNode.SECOND;
import static dev.aquifer.tsquery.ClusterNode.T1;
import static dev.aquifer.tsquery.ClusterNode.as;
import static dev.aquifer.tsquery.ClusterNode.at;
import static dev.aquifer.tsquery.ClusterNode.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What writers tell of, and encounters, in one process. */
class LateDataTest {
  private final PointsBackend points = new PointsBackend();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private final TimeSeries series =
      TimeSeries.builder()
          .backend(points)
          .clock(clock)
          .lateness(Duration.ofMinutes(1))
          .ageing(Ageing.defaults().withOpen(Duration.ZERO))
          .build();

  @BeforeEach
  void fill() {
    for (int i = 0; i < 100; i++) {
      points.add("t1", i * 10L * SECOND, Map.of(), i);
    }
    ask();
    assertThat(ask().fetched()).isZero();
  }

  private TimeSeriesResult ask() {
    return as(() -> series.query(query(0, 1000)));
  }

  @Test
  void written_voidsTheWindowsOfItsTimesAlone() {
    points.add("t1", 55 * SECOND, Map.of(), 7);
    points.add("t1", 777 * SECOND, Map.of(), 7);
    T1.run(() -> series.written("m", List.of(at(55), at(777), at(58))));
    TimeSeriesResult seen = ask();
    assertThat(seen.fetched()).isEqualTo(2);
    assertThat(seen.series()).isEqualTo(as(() -> series.queryUncached(query(0, 1000))).series());
    T1.run(() -> series.written("m", List.of()));
    assertThat(ask().fetched()).isZero();
  }

  @Test
  void written_linesAsTheyWereSent_voidTheirWindows() {
    T1.run(() -> series.written("m,tenant=t1 value=7 55\nother value=1 600\n", ChronoUnit.SECONDS));
    assertThat(ask().fetched()).isEqualTo(1);
    byte[] bytes = "m value=7 777000".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    T1.run(() -> series.written(bytes, ChronoUnit.MILLIS));
    assertThat(ask().fetched()).isEqualTo(1);
  }

  @Test
  void written_linesOfWhichOneIsBroken_voidNothing() {
    for (String broken : List.of("m value=7", "m,tenant=t2 value=7 56", "m value=\"7 56")) {
      assertThatThrownBy(
              () -> T1.run(() -> series.written("m value=7 55\n" + broken, ChronoUnit.SECONDS)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("line 2");
    }
    assertThatThrownBy(
            () -> T1.run(() -> series.written(new byte[] {(byte) 0xff}, ChronoUnit.SECONDS)))
        .hasMessageContaining("UTF-8");
    assertThat(ask().fetched()).isZero();
  }

  @Test
  void invalidate_withoutARange_voidsTheMeasurement() {
    T1.run(() -> series.invalidate("other"));
    assertThat(ask().fetched()).isZero();
    T1.run(() -> series.invalidate("m"));
    assertThat(ask().fetched()).isEqualTo(100);
  }

  @Test
  void query_ofAnOpenEncounter_goesToNow_andOfAClosedOneToItsEnd() {
    Instant now = clock.instant();
    Encounter stay = Encounter.open("stay 7", now.minusSeconds(100));
    TimeSeriesResult open = as(() -> series.query(stay, query(0, 10)));
    assertThat(open.shown()).isEqualTo(10);
    clock.advance(Duration.ofSeconds(50));
    assertThat(as(() -> series.query(stay, query(0, 10))).shown()).isEqualTo(15);
    Encounter closed = stay.close(now.plusSeconds(20));
    T1.run(() -> series.changed("m", stay, closed));
    TimeSeriesResult whole = as(() -> series.query(closed, query(0, 10)));
    assertThat(whole.shown()).isEqualTo(12);
    assertThat(whole.fetched()).isEqualTo(12);
    Encounter amended = closed.amend(now.minusSeconds(200), closed.end());
    T1.run(() -> series.changed("m", closed, amended));
    assertThat(as(() -> series.query(amended, query(0, 10))).fetched()).isEqualTo(22);
  }

  @Test
  void encounter_thatContradictsItself_isRefused() {
    Encounter stay = Encounter.open("stay 7", at(100));
    assertThatThrownBy(() -> stay.close(at(100)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("not after its start");
    assertThatThrownBy(() -> stay.close(at(200)).close(at(300)))
        .hasMessageContaining("has ended at");
    assertThat(stay.close(at(200)).amend(at(100), null)).isEqualTo(stay);
    assertThatThrownBy(() -> Encounter.open("", at(1))).hasMessageContaining("encounter");
    Encounter future = Encounter.open("later", clock.instant().plusSeconds(1));
    assertThatThrownBy(() -> as(() -> series.query(future, query(0, 10))))
        .hasMessageContaining("not before now");
  }
}
