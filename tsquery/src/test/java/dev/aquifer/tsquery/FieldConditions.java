package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/**
 * Conditions on fields, and what they choose of a few points, which is the same on every backend:
 * values 1.0, 2.0 and -4.5 in ward icu, 3.0 in none; each with a sequence number (the largest whole
 * number but one of 53 bits, then on), a note and a truth; and a point with a number alone.
 */
final class FieldConditions {
  /** Points as fields of InfluxDB's line protocol; the last has no other field. */
  record Row(String ward, double value, long seq, String note, boolean ok) {}

  static final List<Row> ROWS =
      List.of(
          new Row("icu", 1.0, 9_007_199_254_740_991L, "it's", true),
          new Row("icu", 2.0, 9_007_199_254_740_992L, "", false),
          new Row("icu", -4.5, 9_007_199_254_740_993L, "a/b \\ \"c\"", true),
          new Row("", 3.0, -5, "\u00fcn\u00ef", false));

  /** Asks for the number of points that have the field and for which the condition holds. */
  interface Counts {
    long of(String field, PointPredicate condition) throws Exception;
  }

  private FieldConditions() {}

  static void assertChosen(Counts count) throws Exception {
    assertThat(count.of("value", FieldPredicate.gt("value", 1))).isEqualTo(2);
    assertThat(count.of("value", FieldPredicate.ge("value", 1))).isEqualTo(3);
    assertThat(count.of("value", FieldPredicate.lt("value", -4.4))).isEqualTo(1);
    assertThat(count.of("value", FieldPredicate.le("value", -4.5))).isEqualTo(1);
    assertThat(count.of("value", FieldPredicate.eq("value", 2))).isEqualTo(1);
    assertThat(count.of("value", FieldPredicate.ne("value", 2.0))).isEqualTo(3);
    assertThat(count.of("value", FieldPredicate.in("value", List.of(1, 2.0, 7)))).isEqualTo(2);
    assertThat(count.of("value", FieldPredicate.notIn("value", List.of(1.0, 3.0)))).isEqualTo(2);
    assertThat(count.of("value", FieldPredicate.lt("value", 1e300))).isEqualTo(4);
    assertThat(count.of("value", FieldPredicate.gt("value", -1e-300))).isEqualTo(3);
    assertThat(count.of("seq", FieldPredicate.ge("seq", 9_007_199_254_740_993L))).isEqualTo(1);
    assertThat(count.of("seq", FieldPredicate.lt("seq", -4))).isEqualTo(1);
    assertThat(count.of("seq", FieldPredicate.eq("seq", -5))).isEqualTo(1);
    assertThat(count.of("seq", FieldPredicate.lt("seq", 0.5))).isEqualTo(1);
    assertThat(count.of("ok", FieldPredicate.eq("ok", true))).isEqualTo(2);
    assertThat(count.of("ok", FieldPredicate.ne("ok", true))).isEqualTo(2);
    for (Row row : ROWS) {
      assertThat(count.of("note", FieldPredicate.eq("note", row.note()))).isEqualTo(1);
      assertThat(count.of("note", FieldPredicate.ne("note", row.note()))).isEqualTo(3);
    }
    assertThat(count.of("note", FieldPredicate.matches("note", "[/'].|^$"))).isEqualTo(3);
    assertThat(count.of("note", PointPredicate.not(FieldPredicate.matches("note", "^i"))))
        .isEqualTo(3);
    for (String hostile : Hostile.VALUES) {
      assertThat(count.of("note", FieldPredicate.eq("note", hostile)))
          .as(hostile)
          .isEqualTo(ROWS.stream().filter(row -> row.note().equals(hostile)).count());
    }
    TagPredicate icu = TagPredicate.eq("ward", "icu");
    assertThat(count.of("value", PointPredicate.and(icu, FieldPredicate.gt("value", 1))))
        .isEqualTo(1);
    assertThat(count.of("value", PointPredicate.or(icu, FieldPredicate.gt("value", 2))))
        .isEqualTo(4);
    PointPredicate neither =
        PointPredicate.not(PointPredicate.or(icu, FieldPredicate.lt("value", 3)));
    assertThat(count.of("value", neither)).isEqualTo(1);
  }
}
