package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.arrow.flight.FlightProducer.ServerStreamListener;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What DataFusion answered to the dialect's SQL, over Arrow Flight, is what the points say. See
 * {@code influx3/README.md}.
 */
class Influx3RecordedTest {
  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final FlightAnswers SERVER = new FlightAnswers();
  private static final Influx3Backend INFLUX =
      Influx3Backend.builder(SERVER.url(), "clinic").timeout(Duration.ofMinutes(1)).build();

  /** A point; what it lacks is empty. */
  private record Point(
      long time, String tenant, String device, String ward, String value, String seq, String note) {
    static Point of(String line) {
      String[] cells = line.split(",", -1);
      return new Point(
          Long.parseLong(cells[0]), cells[1], cells[2], cells[3], cells[4], cells[5], cells[6]);
    }
  }

  private record Valued(Point point, double value) {}

  @AfterAll
  static void close() {
    INFLUX.close();
    SERVER.close();
  }

  static Stream<String> numbers() {
    return queries().keySet().stream().filter(name -> !name.equals("kinds"));
  }

  @ParameterizedTest
  @MethodSource
  void numbers(String name) throws Exception {
    TimeSeriesQuery query = queries().get(name);
    PointsBackend points = new PointsBackend();
    boolean whole = query.selections().get(0).field().equals("seq");
    // Points at one time in order of their values; of the two zeros, one.
    for (Valued each : points(whole ? Point::seq : Point::value)) {
      Point point = each.point();
      points.add(
          point.tenant(), point.time(), Schedule.tags(point.device(), point.ward()), each.value());
    }
    try (TimeSeries expected = TimeSeries.builder().backend(points).build()) {
      List<Series> all = Tenant.of("t1").call(() -> expected.queryUncached(query)).series();

      List<Series> series = answer(name);

      assertThat(series).hasSameSizeAs(all).isNotEmpty();
      for (int i = 0; i < all.size(); i++) {
        assertThat(series.get(i).group()).isEqualTo(all.get(i).group());
        assertThat(texts(series.get(i))).isEqualTo(texts(all.get(i)));
      }
      if (!whole) {
        assertThat(series).isEqualTo(all);
      }
    }
  }

  @Test
  void kinds() throws Exception {
    Series series = answer("kinds").get(0);
    for (ValueColumn column : series.columns()) {
      if (column.selection().field().equals("note")) {
        for (int i = 0; i < series.size(); i++) {
          assertThat(column.valueAt(i))
              .as("%s of window %s", column.selection(), series.start(i))
              .isEqualTo(notes(column.selection().aggregate(), series.start(i)));
        }
      } else {
        assertThat(column.kind()).isEqualTo(column.selection().aggregate().kind(ValueKind.BOOLEAN));
      }
    }
  }

  /** What DataFusion answered, once it is sure that it was asked what is asked now. */
  private static List<Series> answer(String name) throws Exception {
    TimeSeriesQuery query = queries().get(name);
    try (TimeSeries series =
        TimeSeries.builder().backend(new Open()).timeout(Duration.ofMinutes(1)).build()) {
      StatementText statement =
          Tenant.of("t1").call(() -> series.explain(query)).statements().get(0);
      String written = System.getProperty("influx3.record");
      if (written != null) {
        Files.writeString(Path.of(written, name + ".sql"), recorded(statement));
      }
      assertThat(recorded(statement)).isEqualTo(resource(name + ".sql"));
      SERVER.next((memory, out) -> replay(name, memory, out));
      TimeSeriesResult result = Tenant.of("t1").call(() -> series.queryUncached(query));
      assertThat(result.bytes()).isPositive();
      return result.series();
    }
  }

  /** The backend of all tests, which stays open. */
  private static final class Open implements Backend {
    @Override
    public String name() {
      return INFLUX.name();
    }

    @Override
    public void check(TimeSeriesQuery query) {
      INFLUX.check(query);
    }

    @Override
    public List<StatementText> render(FetchRequest request) {
      return INFLUX.render(request);
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      INFLUX.fetch(request, sink);
    }

    @Override
    public int rangesInRequest() {
      return INFLUX.rangesInRequest();
    }
  }

  private static String recorded(StatementText statement) {
    StringBuilder text = new StringBuilder(statement.text()).append('\n');
    for (int i = 0; i < statement.values().size(); i++) {
      Object value = statement.values().get(i);
      char kind =
          value instanceof String
              ? 's'
              : value instanceof Long ? 'i' : value instanceof Double ? 'd' : 'b';
      text.append(Influx3Dialect.parameter(i)).append('=').append(kind).append(':');
      text.append(value).append('\n');
    }
    return text.toString();
  }

  private static void replay(String name, BufferAllocator memory, ServerStreamListener out)
      throws IOException {
    try (InputStream file = open(name + ".arrows");
        ArrowStreamReader batches = new ArrowStreamReader(file, memory)) {
      out.start(batches.getVectorSchemaRoot());
      while (batches.loadNextBatch()) {
        out.putNext();
      }
      out.completed();
    }
  }

  private static Object notes(Aggregate aggregate, Instant window) throws IOException {
    long start = Nanos.of(window);
    List<String> notes =
        points()
            .filter(point -> point.tenant().equals("t1") && !point.note().isEmpty())
            .filter(point -> point.time() >= Math.max(start, Nanos.of(NOON.plusMillis(1_500))))
            .filter(point -> point.time() < start + 10_000_000_000L)
            .filter(point -> point.time() < Nanos.of(NOON.plusMillis(113_700)))
            .sorted(Comparator.comparing(Point::time).thenComparing(Point::note))
            .map(Point::note)
            .toList();
    return switch (aggregate) {
      case COUNT -> (long) notes.size();
      case DISTINCT -> notes.stream().distinct().count();
      case FIRST -> notes.isEmpty() ? null : notes.get(0);
      default -> notes.isEmpty() ? null : notes.get(notes.size() - 1);
    };
  }

  private static List<Valued> points(Function<Point, String> field) throws IOException {
    return points()
        .filter(point -> !field.apply(point).isEmpty())
        .map(point -> new Valued(point, Double.parseDouble(field.apply(point)) + 0.0))
        .sorted(
            Comparator.comparing((Valued each) -> each.point().time()).thenComparing(Valued::value))
        .toList();
  }

  private static Stream<Point> points() throws IOException {
    return resource("points.csv").lines().skip(1).map(Point::of);
  }

  /** Each window's values as numbers: a whole sum is a float to the points. */
  private static List<String> texts(Series series) {
    List<String> texts = new ArrayList<>();
    for (ValueColumn column : series.columns()) {
      for (int i = 0; i < series.size(); i++) {
        texts.add(
            "%s at %s: %s"
                .formatted(
                    column.selection(),
                    series.start(i),
                    column.isNull(i) ? "null" : Double.toString(column.doubleAt(i))));
      }
    }
    return texts;
  }

  private static String resource(String name) throws IOException {
    try (InputStream file = open(name)) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static InputStream open(String name) throws IOException {
    InputStream file = Influx3RecordedTest.class.getResourceAsStream("/influx3/" + name);
    if (file == null) {
      throw new FileNotFoundException(name + " is not recorded; see influx3/README.md");
    }
    return file;
  }

  private static Map<String, TimeSeriesQuery> queries() {
    Map<String, TimeSeriesQuery.Builder> queries = new LinkedHashMap<>();
    queries.put("floats", select("value").offset(Duration.ofSeconds(3)).groupBy("device", "ward"));
    queries.put("integers", select("seq").groupBy("ward"));
    queries.put(
        "conditions",
        select("value")
            .where(TagPredicate.ne("ward", "icu"))
            .where(PointPredicate.not(TagPredicate.matches("device", "^d1$")))
            .where(
                PointPredicate.or(
                    TagPredicate.in("ward", List.of("", "er")), TagPredicate.eq("device", "d2")))
            .where(FieldPredicate.ge("value", 0)));
    queries.put("gaps", select("value").period(Duration.ofSeconds(4)).groupBy("device"));
    queries.put("overlaps", select("value").period(Duration.ofSeconds(25)).groupBy("device"));
    TimeSeriesQuery.Builder kinds = builder();
    for (Aggregate aggregate : Aggregate.values()) {
      if (aggregate.forAnyKind()) {
        kinds.select(aggregate, "note").select(aggregate, "ok");
      }
    }
    queries.put("kinds", kinds);
    Map<String, TimeSeriesQuery> built = new LinkedHashMap<>();
    queries.forEach((name, query) -> built.put(name, query.build()));
    return built;
  }

  /** Both ends cut windows. */
  private static TimeSeriesQuery.Builder builder() {
    return TimeSeriesQuery.builder("vitals")
        .every(Duration.ofSeconds(10))
        .range(NOON.plusMillis(1_500), NOON.plusMillis(113_700));
  }

  private static TimeSeriesQuery.Builder select(String field) {
    TimeSeriesQuery.Builder query = builder();
    EveryAggregate.of(field).forEach(query::select);
    return query;
  }
}
