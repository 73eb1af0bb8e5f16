package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.flux.FluxCsv;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** What is computed here of points that the server hands over is what it would have computed. */
class FluxPointsTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Instant START = Instant.parse("2026-03-01T00:00:20Z");
  private static final List<Aggregate> ALL =
      List.of(
          Aggregate.COUNT,
          Aggregate.SUM,
          Aggregate.MEAN,
          Aggregate.MIN,
          Aggregate.MAX,
          Aggregate.FIRST,
          Aggregate.LAST);

  private record Point(long time, String device, long value) {}

  @Test
  void answer_randomPoints_computesWhatTheyMake() {
    Proof.of("flux-points").tries(100, 10_000).each(this::randomPoints);
  }

  private void randomPoints(RandomGenerator random) {
    List<Point> points = new ArrayList<>();
    PointsBackend reference =
        new PointsBackend() {
          @Override
          boolean whole() {
            return true;
          }
        };
    for (int i = random.nextInt(1, 40); i > 0; i--) {
      long time = Nanos.of(START.plusSeconds(random.nextInt(300)));
      points.add(new Point(time, random.nextBoolean() ? "d1" : "", random.nextInt(9) - 4));
    }
    // Points at one time are in order of their values.
    points.sort(Comparator.comparing(Point::time).thenComparing(Point::value));
    for (Point point : points) {
      Map<String, String> tags = point.device.isEmpty() ? Map.of() : Map.of("device", point.device);
      reference.add("t1", point.time, tags, (double) point.value);
    }
    Collections.shuffle(points, new Random(random.nextLong()));
    TimeSeriesQuery query = minutes(ALL);
    Assembly expected = assembly(query, 10_000);
    reference.fetch(
        new FetchRequest(query, "tenant", T1, stretches(query), true, Duration.ofSeconds(10)),
        expected);

    assertThat(answer(query, csv("long", points))).isEqualTo(expected.render(query));
  }

  @Test
  void answer_sumThatPasses64Bits_goesRoundAsTheServersDoes() {
    long time = Nanos.of(START);
    String csv =
        csv("long", List.of(new Point(time, "", Long.MAX_VALUE), new Point(time + 1, "", 1)));

    assertThat(answer(minutes(List.of(Aggregate.SUM)), csv).get(0).columns().get(0).valueAt(0))
        .isEqualTo(Long.MIN_VALUE);
  }

  @Test
  void answer_unsignedOnes_areNotTakenForNegative() {
    long time = Nanos.of(START);
    String csv = csv("unsignedLong", List.of(new Point(time, "", -1), new Point(time + 1, "", 3)));
    TimeSeriesQuery query =
        minutes(List.of(Aggregate.MIN, Aggregate.MAX, Aggregate.SUM, Aggregate.FIRST));

    assertThat(answer(query, csv).get(0).columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(3L, 0x1p64, 2L, 0x1p64);
  }

  @Test
  void answer_floats_saysThatTheyAreNotWhole() {
    String csv = csv("double", List.of(new Point(Nanos.of(START), "", 1)));

    assertThatThrownBy(() -> answer(minutes(ALL), csv))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("Field value of m has floats, though it is told to be of integers");
  }

  @Test
  void answer_moreSeriesThanMayBe_isRefusedAsTheyCome() {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      points.add(new Point(Nanos.of(START), "d" + i, 1));
    }
    assertThatThrownBy(() -> answer(minutes(ALL), csv("long", points), 100))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("100");
  }

  @Test
  void answer_pointsOfAnotherField_areUnexpected() {
    String csv = csv("long", List.of(new Point(Nanos.of(START), "", 1)));

    assertThatThrownBy(() -> answer(minutes(ALL), csv.replace(",value,", ",no,")))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("a field 'no'");
  }

  private static String csv(String type, List<Point> points) {
    StringBuilder text =
        new StringBuilder(
            """
            #datatype,string,long,string,dateTime:RFC3339,%s,string
            #group,false,false,true,false,false,false
            #default,0.0,,,,,
            ,result,table,_field,_time,_value,device
            """
                .formatted(type));
    for (Point point : points) {
      Instant time = Nanos.instant(point.time);
      String value =
          type.equals("unsignedLong")
              ? Long.toUnsignedString(point.value)
              : Long.toString(point.value);
      text.append(",,0,value,%s,%s,%s\n".formatted(time, value, point.device));
    }
    return text.append('\n').toString().replace("\n", "\r\n");
  }

  private static TimeSeriesQuery minutes(List<Aggregate> aggregates) {
    TimeSeriesQuery.Builder query =
        TimeSeriesQuery.builder("m")
            .every(Duration.ofMinutes(1))
            .groupBy("device")
            .range(START, START.plusSeconds(300));
    aggregates.forEach(each -> query.select(each, "value"));
    return query.build();
  }

  private static List<Series> answer(TimeSeriesQuery query, String csv) {
    return answer(query, csv, 10_000);
  }

  private static List<Series> answer(TimeSeriesQuery query, String csv, long points) {
    Assembly assembly = assembly(query, points);
    FluxReads plan = FluxReads.of(query, true, Set.of(), Set.of("value"));
    FluxAnswer answer = new FluxAnswer("", plan, stretches(query), assembly);
    try {
      FluxCsv.read(new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)), answer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    answer.end();
    return assembly.render(query);
  }

  private static Assembly assembly(TimeSeriesQuery query, long points) {
    WindowGrid grid = grid(query);
    Assembly assembly = new Assembly(grid, query, new PointBudget(T1, points));
    assembly.expect(List.of(new Run(grid.first(), grid.end())));
    return assembly;
  }

  private static List<Stretch> stretches(TimeSeriesQuery query) {
    WindowGrid grid = grid(query);
    return grid.stretches(grid.first(), grid.end());
  }

  private static WindowGrid grid(TimeSeriesQuery query) {
    TimeRange range = new TimeRange(START, START.plusSeconds(300));
    return WindowGrid.of(query.window(), range, QueryLimits.defaults(), 1);
  }
}
