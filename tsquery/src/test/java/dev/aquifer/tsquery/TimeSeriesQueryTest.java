package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TimeSeriesQueryTest {
  @Test
  void fingerprint_ofTheSameQuestion_isTheSame() {
    PointPredicate a = TagPredicate.eq("a", "1");
    PointPredicate b = TagPredicate.in("b", List.of("2", "3"));
    String fingerprint = query(q -> q.where(a).where(b).groupBy("x", "y")).fingerprint();

    assertThat(query(q -> q.where(b).where(a).groupBy("y", "x")).fingerprint())
        .isEqualTo(fingerprint);
    assertThat(
            query(
                    q ->
                        q.where(
                                PointPredicate.not(
                                    PointPredicate.or(
                                        PointPredicate.not(a),
                                        PointPredicate.not(PointPredicate.and(b, a)))))
                            .groupBy("x", "y"))
                .fingerprint())
        .isEqualTo(fingerprint);
    assertThat(
            query(q -> q.where(a).where(b).groupBy("x", "y").range(Instant.EPOCH, Instant.now()))
                .fingerprint())
        .isEqualTo(fingerprint);
    assertThat(
            query(
                    q ->
                        q.where(TagPredicate.in("b", List.of("3", "2", "3")))
                            .where(a)
                            .groupBy("x", "y"))
                .fingerprint())
        .isEqualTo(fingerprint);
  }

  @Test
  void fingerprint_ofDifferentQuestions_differs() {
    List<UnaryOperator<TimeSeriesQuery.Builder>> different =
        List.of(
            q -> q,
            q -> q.select(Aggregate.SUM, "v"),
            q -> q.select(Selection.quantile(0.5, "v")),
            q -> q.select(Selection.quantile(0.75, "v")),
            q -> q.groupBy("a"),
            q -> q.groupBy("a", "b"),
            q -> q.groupBy("a,b"),
            q -> q.every(Duration.ofSeconds(11)),
            q -> q.every(Period.ofMonths(1)),
            q ->
                q.every(Period.ofMonths(1))
                    .offset(Period.ofMonths(0))
                    .zone(ZoneId.of("Asia/Tokyo")),
            q -> q.zone(ZoneId.of("Europe/Berlin")),
            q -> q.zone(ZoneId.of("Europe/Vienna")),
            q -> q.period(Duration.ofSeconds(20)),
            q -> q.offset(Duration.ofSeconds(1)),
            q -> q.fill(Fill.nulls()),
            q -> q.fill(Fill.linear()),
            q -> q.fill(Fill.value(1L)),
            q -> q.fill(Fill.value(1.0)),
            q -> q.where(TagPredicate.eq("a", "b")),
            q -> q.where(TagPredicate.ne("a", "b")),
            q -> q.where(TagPredicate.matches("a", "b")),
            q -> q.where(TagPredicate.eq("ab", "")),
            q -> q.where(TagPredicate.eq("a", "b,c")),
            q -> q.where(TagPredicate.in("a", List.of("b", "c"))),
            q -> q.where(TagPredicate.eq("a", "b")).groupBy("a"),
            q -> q.where(TagPredicate.eq("v", "5")),
            q -> q.where(FieldPredicate.eq("v", "5")),
            q -> q.where(FieldPredicate.eq("v", 5)),
            q -> q.where(FieldPredicate.eq("v", 5.0)),
            q -> q.where(FieldPredicate.eq("v", true)),
            q -> q.where(FieldPredicate.ne("v", 5)),
            q -> q.where(FieldPredicate.lt("v", 5)),
            q -> q.where(FieldPredicate.le("v", 5)),
            q -> q.where(FieldPredicate.gt("v", 5)),
            q -> q.where(FieldPredicate.matches("v", "5")),
            q -> q.where(TagPredicate.matches("v", "5")),
            q -> q.where(PointPredicate.or(TagPredicate.eq("a", "b"), TagPredicate.eq("c", "d"))),
            q -> q.where(PointPredicate.and(TagPredicate.eq("a", "b"), TagPredicate.eq("c", "d"))));
    Set<String> fingerprints = new HashSet<>();
    different.forEach(change -> fingerprints.add(query(change).fingerprint()));

    assertThat(fingerprints).hasSize(different.size());
  }

  @Test
  void build_withoutWhatIsNeeded_saysWhat() {
    assertRefused(
        TimeSeriesQuery.builder("m").every(Duration.ofSeconds(1)).last(Duration.ofDays(1)),
        "select");
    assertRefused(
        TimeSeriesQuery.builder("m").select(Aggregate.SUM, "v").last(Duration.ofDays(1)), "every");
    assertRefused(
        TimeSeriesQuery.builder("m").select(Aggregate.SUM, "v").every(Duration.ofSeconds(1)),
        "range");
  }

  @Test
  void builder_namesThatAreNone_areRefused() {
    for (String name : List.of("", "a\nb", "a\0b", "x".repeat(257), "half\ud800")) {
      assertThatThrownBy(() -> TimeSeriesQuery.builder(name))
          .isInstanceOf(RefusedQueryException.class);
      assertThatThrownBy(() -> query(q -> q.groupBy(name)))
          .isInstanceOf(RefusedQueryException.class);
      assertThatThrownBy(() -> TagPredicate.eq(name, "v"))
          .isInstanceOf(RefusedQueryException.class);
      assertThatThrownBy(() -> new Selection(Aggregate.SUM, name))
          .isInstanceOf(RefusedQueryException.class);
    }
    assertThatThrownBy(() -> TagPredicate.eq("a", "half\udc00"))
        .isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> TagPredicate.eq("a", "nul\0"))
        .isInstanceOf(RefusedQueryException.class);
  }

  @Test
  void where_nestedBeyondMeasure_isRefused() {
    PointPredicate deep = TagPredicate.eq("a", "b");
    for (int i = 0; i < 10_000; i++) {
      deep = PointPredicate.not(deep);
    }
    PointPredicate tooDeep = deep;
    assertThatThrownBy(() -> query(q -> q.where(tooDeep)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("nested");
  }

  @Test
  void fingerprint_ofConditionsThatAreOpposites_isTheSame() {
    assertThat(query(q -> q.where(PointPredicate.not(FieldPredicate.lt("v", 5)))).fingerprint())
        .isEqualTo(query(q -> q.where(FieldPredicate.ge("v", 5L))).fingerprint());
    assertThat(query(q -> q.where(FieldPredicate.in("v", List.of(2, 1, 2)))).fingerprint())
        .isEqualTo(query(q -> q.where(FieldPredicate.in("v", List.of(1, 2)))).fingerprint());
  }

  @Test
  void where_conditionOnAnotherFieldThanIsSelected_isRefused() {
    List<PointPredicate> conditions =
        List.of(
            FieldPredicate.gt("w", 5),
            PointPredicate.or(TagPredicate.eq("a", "b"), FieldPredicate.matches("w", "x")),
            PointPredicate.and(FieldPredicate.gt("v", 5), FieldPredicate.eq("w", true)));
    for (PointPredicate condition : conditions) {
      assertThatThrownBy(() -> query(q -> q.where(condition)))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining("field v is selected");
    }
    assertThatThrownBy(
            () -> query(q -> q.where(FieldPredicate.gt("v", 5)).select(Aggregate.SUM, "w")))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("field v, but fields v, w are selected");
  }

  @Test
  void where_valuesOfSeveralKinds_areRefused() {
    assertThatThrownBy(
            () ->
                query(
                    q ->
                        q.where(FieldPredicate.gt("v", 5)).where(FieldPredicate.matches("v", "x"))))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("a number and a text at once");
    for (Object value : List.of(Double.NaN, Float.POSITIVE_INFINITY, 'c', List.of(), "a\0")) {
      assertThatThrownBy(() -> FieldPredicate.eq("v", value))
          .isInstanceOf(RefusedQueryException.class);
    }
    assertThatThrownBy(() -> FieldPredicate.in("v", List.of()))
        .isInstanceOf(RefusedQueryException.class);
  }

  @Test
  void where_valuesBeyondMeasure_areRefused() {
    List<String> values =
        java.util.stream.IntStream.range(0, 1_001).mapToObj(Integer::toString).toList();
    assertThatThrownBy(() -> query(q -> q.where(TagPredicate.in("a", values))))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("1,000");
  }

  @Test
  void select_quantileThatIsNone_isRefused() {
    for (double q : new double[] {-0.01, 1.01, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> Selection.quantile(q, "v"))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining(Double.toString(q));
    }
    assertThatThrownBy(() -> new Selection(Aggregate.QUANTILE, "v"))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("Selection.quantile");
    assertThatThrownBy(() -> new Selection(Aggregate.MEDIAN, "v", 0.5))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("takes no quantile");
    assertThat(Selection.quantile(-0.0, "v")).isEqualTo(Selection.quantile(0, "v"));
  }

  private static void assertRefused(TimeSeriesQuery.Builder builder, String part) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining(part);
  }

  private static TimeSeriesQuery query(UnaryOperator<TimeSeriesQuery.Builder> change) {
    return change
        .apply(
            TimeSeriesQuery.builder("m")
                .select(Aggregate.MEAN, "v")
                .every(Duration.ofSeconds(10))
                .last(Duration.ofHours(1)))
        .build();
  }

  /** The windows that were chosen for the first range are none of the second one's business. */
  @Test
  void withRange_ofMaxPoints_hasTheWindowsThatItWouldBeBuiltWith() {
    Instant start = Instant.parse("2026-03-01T00:00:00Z");
    for (UnaryOperator<TimeSeriesQuery.Builder> how :
        List.<UnaryOperator<TimeSeriesQuery.Builder>>of(
            query -> query.zone(ZoneId.of("+05:30")),
            query -> query.offset(Duration.ofHours(6)),
            query -> query.offset(Duration.ofHours(-30)).zone(ZoneId.of("-03:00")),
            query -> query.zone(ZoneId.of("Asia/Kolkata")))) {
      List<Window> direct = new ArrayList<>();
      List<Window> moved = new ArrayList<>();
      TimeSeriesQuery first = null;
      for (int days : new int[] {1, 90, 2, 400}) {
        Instant stop = start.plus(Duration.ofHours(days * 24L - 23));
        TimeSeriesQuery.Builder builder =
            TimeSeriesQuery.builder("vitals").select(Aggregate.MEAN, "pulse").maxPoints(100);
        TimeSeriesQuery built = how.apply(builder).range(start, stop).build();
        first = first == null ? built : first;
        direct.add(built.window());
        moved.add(first.withRange(start, stop).window());
      }
      assertThat(moved).isEqualTo(direct);
    }
    TimeSeriesQuery hourly =
        TimeSeriesQuery.builder("vitals")
            .select(Aggregate.MEAN, "pulse")
            .range(start, start.plusSeconds(60))
            .every(Duration.ofHours(1))
            .zone(ZoneId.of("+05:30"))
            .build();
    assertThat(hourly.toBuilder().every(Duration.ofDays(1)).build().window().offset())
        .isEqualTo(Step.of(Duration.ofMinutes(18 * 60 + 30)));
  }
}
