package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/**
 * Renders a request as one statement for PostgreSQL 14 and newer: a SELECT for all stretches of the
 * same windows. Names come from the table's mapping and are quoted; every value, the tenant first
 * of all, is bound.
 *
 * <p>An answer must not depend on the plan that the server chooses, else a cached window would
 * differ in its last bits from one fetched with others. So sums and means of floating numbers add
 * in order of time and value, first and last break ties by value, and zeros lose their sign in
 * extremes.
 */
final class PostgresDialect {
  private final SeriesTable table;

  PostgresDialect(SeriesTable table) {
    this.table = table;
  }

  void check(TimeSeriesQuery query) {
    Window window = query.window();
    for (Step step : new Step[] {window.every(), window.period(), window.offset()}) {
      if (step.nanos() % Nanos.PER_MICRO != 0) {
        throw new RefusedQueryException(
            "PostgreSQL counts time in microseconds; windows of %s every %s, offset %s, are finer."
                .formatted(window.period(), window.every(), window.offset()));
      }
    }
    for (Selection selection : query.selections()) {
      SeriesTable.FieldColumn field = field(selection.field());
      boolean number = field.kind() == ValueKind.LONG || field.kind() == ValueKind.DOUBLE;
      if (!number && !selection.aggregate().forAnyKind()) {
        throw new RefusedQueryException(
            "%s cannot be computed: the field is %s. Use count, distinct, first or last."
                .formatted(selection, field.kind()));
      }
    }
    query.groupBy().forEach(this::tagColumn);
    Condition condition = query.condition();
    if (condition != null) {
      Condition.tags(condition).forEach(this::tagColumn);
      Condition.leaves(condition).forEach(this::requireKind);
    }
  }

  /** PostgreSQL itself would find out only after it was asked. */
  private void requireKind(Condition leaf) {
    String name = FieldScope.field(leaf);
    if (name == null) {
      return;
    }
    SeriesTable.FieldColumn field = field(name);
    String kind =
        switch (field.kind()) {
          case LONG, DOUBLE -> "a number";
          case BOOLEAN -> "a boolean";
          case TEXT -> "a text";
        };
    for (Object value : FieldScope.operands(leaf)) {
      if (!FieldScope.kind(value).equals(kind)) {
        throw new RefusedQueryException(
            "Field %s is %s and cannot be compared with %s."
                .formatted(Names.printable(name), kind, FieldScope.kind(value)));
      }
    }
  }

  StatementText render(FetchRequest request) {
    List<Object> values = new ArrayList<>();
    StringBuilder sql = new StringBuilder();
    List<Stretch> left = new ArrayList<>(request.stretches());
    while (!left.isEmpty()) {
      Stretch first = left.get(0);
      List<Stretch> alike = left.stream().filter(first::alike).toList();
      left.removeAll(alike);
      sql.append(sql.isEmpty() ? "" : " UNION ALL ");
      select(request, alike, sql, values);
    }
    return new StatementText(sql.toString(), values);
  }

  private void select(
      FetchRequest request, List<Stretch> alike, StringBuilder sql, List<Object> values) {
    TimeSeriesQuery query = request.query();
    sql.append("SELECT (extract(epoch FROM ");
    bucket(alike.get(0), sql, values);
    sql.append(") * 1000000)::bigint");
    for (String tag : query.groupBy()) {
      sql.append(", coalesce(").append(tagColumn(tag)).append("::text, '')");
    }
    for (Selection selection : query.selections()) {
      sql.append(", ").append(aggregate(selection));
      if (selection.quantile() != null) {
        values.add(selection.quantile());
      }
    }
    sql.append(" FROM ");
    if (table.schema() != null) {
      sql.append(quote(table.schema())).append('.');
    }
    sql.append(quote(table.table())).append(" AS p WHERE p.").append(quote(table.tenant()));
    sql.append(" = ? AND (");
    values.add(request.tenant().id());
    String separator = "";
    for (Stretch stretch : alike) {
      TimeRange range = stretch.range();
      sql.append(separator).append('(').append(time()).append(" >= ? AND ");
      sql.append(time()).append(" < ?)");
      values.add(bound(ceilMicros(range.startNanos())));
      values.add(bound(ceilMicros(range.stopNanos())));
      separator = " OR ";
    }
    sql.append(')');
    if (alike.get(0).gapped()) {
      sql.append(" AND ").append(time()).append(" - ");
      bucket(alike.get(0), sql, values);
      sql.append(" < ?::interval");
      values.add(interval(alike.get(0).period()));
    }
    Condition condition = query.condition();
    if (condition != null) {
      sql.append(" AND ");
      condition(condition, sql, values);
    }
    sql.append(" GROUP BY 1");
    for (int i = 0; i < query.groupBy().size(); i++) {
      sql.append(", ").append(i + 2);
    }
  }

  private void bucket(Stretch stretch, StringBuilder sql, List<Object> values) {
    sql.append("date_bin(?::interval, ").append(time()).append(", ?)");
    values.add(interval(stretch.every()));
    values.add(bound(stretch.offsetNanos() / Nanos.PER_MICRO));
  }

  private static String interval(Duration length) {
    return length.toNanos() / Nanos.PER_MICRO + " microseconds";
  }

  private String aggregate(Selection selection) {
    SeriesTable.FieldColumn field = field(selection.field());
    String column = "p." + quote(field.column());
    boolean real = field.kind() == ValueKind.DOUBLE;
    String value = column + cast(field.kind());
    // -0.0 + 0.0 is 0.0: which of two equal zeros comes first must not show.
    String unsigned = real ? "(" + value + " + 0.0::float8)" : value;
    String ordered = real ? value + " ORDER BY " + time() + ", " + unsigned : value;
    String floating = real ? unsigned : value + "::float8";
    return switch (selection.aggregate()) {
      case COUNT -> "count(" + column + ")";
      case DISTINCT -> "count(DISTINCT " + value + ")";
      case SUM -> "sum(" + ordered + ")" + cast(field.kind());
      case MEAN -> "avg(" + ordered + ")::float8";
      case MIN -> "min(" + unsigned + ")";
      case MAX -> "max(" + unsigned + ")";
      case FIRST -> ranked(column, unsigned, "");
      case LAST -> ranked(column, unsigned, " DESC");
      case SPREAD -> "max(" + unsigned + ") - min(" + unsigned + ")";
      case STDDEV -> "stddev_samp(" + floating + " ORDER BY " + time() + ", " + floating + ")";
      case MEDIAN -> median(floating);
      case QUANTILE -> "percentile_disc(?::float8) WITHIN GROUP (ORDER BY " + unsigned + ")";
    };
  }

  private String ranked(String column, String value, String direction) {
    return "(array_agg(%s ORDER BY %s%s, %s%s) FILTER (WHERE %s IS NOT NULL))[1]"
        .formatted(value, time(), direction, value, direction, column);
  }

  /** The middle from below and the middle from above, which are one where there is one. */
  private static String median(String value) {
    String middle = "percentile_disc(0.5) WITHIN GROUP (ORDER BY " + value;
    String low = middle + ")";
    String high = middle + " DESC)";
    return "CASE WHEN %1$s = %2$s THEN %1$s ELSE %1$s * 0.5 + %2$s * 0.5 END".formatted(low, high);
  }

  private static String cast(ValueKind kind) {
    return switch (kind) {
      case LONG -> "::bigint";
      case DOUBLE -> "::float8";
      case BOOLEAN -> "::boolean";
      case TEXT -> "::text";
    };
  }

  private void condition(Condition condition, StringBuilder sql, List<Object> values) {
    if (condition instanceof Condition.Group group) {
      String separator = "(";
      for (Condition member : group.members()) {
        sql.append(separator);
        condition(member, sql, values);
        separator = group.all() ? " AND " : " OR ";
      }
      sql.append(')');
    } else if (condition instanceof Condition.OneOf oneOf) {
      oneOf(oneOf, sql, values);
    } else if (condition instanceof Condition.Like like) {
      sql.append("coalesce(").append(tagColumn(like.tag())).append("::text, '')");
      sql.append(like.negated() ? " !~ ?" : " ~ ?");
      values.add(like.regex());
    } else if (condition instanceof Condition.ValueOneOf oneOf) {
      sql.append(fieldValue(oneOf.field())).append(oneOf.negated() ? " NOT IN (" : " IN (");
      sql.append("?, ".repeat(oneOf.values().size() - 1)).append("?)");
      values.addAll(oneOf.values());
    } else if (condition instanceof Condition.Compared compared) {
      sql.append(fieldValue(compared.field())).append(' ').append(compared.comparison().sign());
      sql.append(" ?");
      values.add(compared.value());
    } else if (condition instanceof Condition.ValueLike like) {
      sql.append(fieldValue(like.field())).append(like.negated() ? " !~ ?" : " ~ ?");
      values.add(like.regex());
    }
  }

  private String fieldValue(String name) {
    SeriesTable.FieldColumn field = field(name);
    return "p." + quote(field.column()) + cast(field.kind());
  }

  /** Without functions around the column, so that an index on it serves. */
  private void oneOf(Condition.OneOf oneOf, StringBuilder sql, List<Object> values) {
    String column = tagColumn(oneOf.tag());
    boolean absentListed = oneOf.values().contains("");
    sql.append('(').append(column).append(oneOf.negated() ? " NOT IN (" : " IN (");
    sql.append("?, ".repeat(oneOf.values().size() - 1)).append("?)");
    values.addAll(oneOf.values());
    if (absentListed != oneOf.negated()) {
      sql.append(" OR ").append(column).append(" IS NULL");
    }
    sql.append(')');
  }

  private SeriesTable.FieldColumn field(String name) {
    SeriesTable.FieldColumn field = table.fields().get(name);
    if (field == null) {
      throw new RefusedQueryException(
          "Measurement %s has no field '%s'; its fields are %s."
              .formatted(table.measurement(), Names.printable(name), table.fields().keySet()));
    }
    return field;
  }

  private String tagColumn(String tag) {
    String column = table.tags().get(tag);
    if (column == null) {
      throw new RefusedQueryException(
          "Measurement %s has no tag '%s'; its tags are %s."
              .formatted(table.measurement(), Names.printable(tag), table.tags().keySet()));
    }
    return "p." + quote(column);
  }

  private String time() {
    return "p." + quote(table.time());
  }

  private Object bound(long micros) {
    OffsetDateTime time =
        Nanos.instant(Math.multiplyExact(micros, Nanos.PER_MICRO)).atOffset(ZoneOffset.UTC);
    LocalDateTime local = time.toLocalDateTime();
    return table.timeHasZone() ? time : local;
  }

  /**
   * Stored times are whole microseconds, so at or after a moment is at or after the next of them.
   */
  private static long ceilMicros(long nanos) {
    return -Math.floorDiv(-nanos, Nanos.PER_MICRO);
  }

  private static String quote(String identifier) {
    return '"' + identifier.replace("\"", "\"\"") + '"';
  }
}
