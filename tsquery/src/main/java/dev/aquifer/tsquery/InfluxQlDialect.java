package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.flux.FluxLiteral;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Renders a request as InfluxQL: one SELECT or two ({@link InfluxQlPlan}) for each stretch of
 * windows, since InfluxQL joins times by AND alone. Values are bound as {@code $p0}, {@code $p1},
 * …, or written as literals for servers that bind none; names are quoted.
 *
 * <p>The rules of InfluxQL's scanner, by which the quoting is safe: in {@code '…'} and {@code "…"}
 * a backslash escapes the quote, itself and n, and a line break ends the text as an error; in
 * {@code /…/} {@code \/} is a slash and every other pair stays as it is. A regular expression is
 * put in a group of its own, so that the delimiter never follows one of its backslashes. (Flux's
 * hexadecimal escapes mean nothing here.)
 */
final class InfluxQlDialect {
  private final boolean bound;
  private final Map<String, Set<String>> tags;
  private final Map<String, Set<String>> integers;

  InfluxQlDialect(boolean bound) {
    this(bound, Map.of(), Map.of());
  }

  /**
   * A dialect.
   *
   * @param tags all of a measurement's but the tenant's, where they are known
   * @param integers fields of a measurement that are known to be whole numbers
   */
  InfluxQlDialect(boolean bound, Map<String, Set<String>> tags, Map<String, Set<String>> integers) {
    this.bound = bound;
    this.tags = Map.copyOf(tags);
    this.integers = Map.copyOf(integers);
  }

  InfluxQlPlan plan(TimeSeriesQuery query) {
    String measurement = query.measurement();
    return InfluxQlPlan.of(
        query,
        tags.getOrDefault(measurement, Set.of()),
        integers.getOrDefault(measurement, Set.of()));
  }

  void check(TimeSeriesQuery query) {
    Window window = query.window();
    if (window.gapped()) {
      throw new RefusedQueryException(
          ("InfluxQL has no windows with gaps: %s every %s. Take a period that is a multiple of"
                  + " every.")
              .formatted(window.period(), window.every()));
    }
    query.groupBy().forEach(tag -> refuseTime("tag", tag));
    for (Selection selection : query.selections()) {
      refuseTime("field", selection.field());
      if (selection.aggregate() == Aggregate.QUANTILE) {
        throw new RefusedQueryException(
            ("%s cannot be computed in InfluxQL: its percentile rounds to the nearest place. Use"
                    + " median, or Flux.")
                .formatted(selection));
      }
    }
    Condition condition = query.condition();
    if (condition != null) {
      Condition.tags(condition).forEach(tag -> refuseTime("tag", tag));
      Condition.regexes(condition).forEach(InfluxQlDialect::refuseLineBreaks);
    }
  }

  List<StatementText> render(FetchRequest request) {
    return render(request, 0);
  }

  /**
   * The statements of each stretch: first the one for groups, then the one for series.
   *
   * @param firstValue how many values stand before the statements' own
   */
  List<StatementText> render(FetchRequest request, int firstValue) {
    InfluxQlPlan plan = plan(request.query());
    List<StatementText> statements = new ArrayList<>();
    for (Stretch stretch : request.stretches()) {
      if (!plan.grouped().isEmpty()) {
        statements.add(render(request, stretch, grouped(request.query(), plan), false, firstValue));
      }
      if (!plan.apart().isEmpty()) {
        statements.add(render(request, stretch, apart(request.query(), plan), true, firstValue));
      }
    }
    return statements;
  }

  private static List<String> grouped(TimeSeriesQuery query, InfluxQlPlan plan) {
    return plan.grouped().stream()
        .map(i -> aggregate(query.selections().get(i)) + " AS " + column(i))
        .toList();
  }

  private static List<String> apart(TimeSeriesQuery query, InfluxQlPlan plan) {
    List<String> columns = new ArrayList<>();
    for (SeriesTotals.Column each : SeriesTotals.columns(query, plan.apart())) {
      String field = name(query.selections().get(each.selection()).field());
      columns.add(function(each.part()) + "(" + field + ") AS " + column(each));
    }
    return columns;
  }

  private static String function(SeriesTotals.Part part) {
    return switch (part) {
      case SUM -> "sum";
      case POINTS -> "count";
      case MEAN -> "mean";
      case DEVIATION -> "stddev";
    };
  }

  private StatementText render(
      FetchRequest request, Stretch stretch, List<String> columns, boolean apart, int firstValue) {
    TimeSeriesQuery query = request.query();
    List<Object> values = new ArrayList<>();
    Function<Object, String> value = text -> value(text, values, firstValue);
    StringBuilder text = new StringBuilder("SELECT ").append(String.join(", ", columns));
    text.append(" FROM ").append(name(query.measurement()));
    text.append(" WHERE ").append(tag(request.tenantTag())).append(" = ");
    text.append(value.apply(request.tenant().id()));
    text.append(" AND time >= ").append(stretch.range().startNanos());
    text.append(" AND time < ").append(stretch.range().stopNanos());
    Condition condition = query.condition();
    if (condition != null) {
      text.append(" AND ");
      condition(condition, text, value);
    }
    text.append(" GROUP BY time(").append(stretch.everyNanos()).append("ns, ");
    text.append(stretch.offsetNanos()).append("ns)");
    if (apart) {
      text.append(", *");
    } else {
      query.groupBy().forEach(tag -> text.append(", ").append(name(tag)));
    }
    return new StatementText(text.append(" fill(none)").toString(), values);
  }

  private static String aggregate(Selection selection) {
    String field = name(selection.field());
    return selection.aggregate() == Aggregate.DISTINCT
        ? "count(distinct(" + field + "))"
        : selection.aggregate().function() + "(" + field + ")";
  }

  /** What the column of a selection is called in answers. */
  static String column(int selection) {
    return "v" + selection;
  }

  /** What the column of a part of a selection is called. */
  static String column(SeriesTotals.Column part) {
    return function(part.part()) + part.selection();
  }

  private void condition(Condition condition, StringBuilder text, Function<Object, String> value) {
    if (condition instanceof Condition.Group group) {
      String separator = "(";
      for (Condition member : group.members()) {
        text.append(separator);
        condition(member, text, value);
        separator = group.all() ? " AND " : " OR ";
      }
      text.append(')');
    } else if (condition instanceof Condition.OneOf oneOf) {
      oneOf(tag(oneOf.tag()), oneOf.values(), oneOf.negated(), text, value);
    } else if (condition instanceof Condition.Like like) {
      text.append(tag(like.tag())).append(like.negated() ? " !~ " : " =~ ");
      text.append(regex(like.regex()));
    } else if (condition instanceof Condition.ValueOneOf oneOf) {
      oneOf(field(oneOf.field()), oneOf.values(), oneOf.negated(), text, value);
    } else if (condition instanceof Condition.Compared compared) {
      text.append(field(compared.field())).append(' ').append(compared.comparison().sign());
      text.append(' ').append(value.apply(compared.value()));
    } else if (condition instanceof Condition.ValueLike like) {
      text.append(field(like.field())).append(like.negated() ? " !~ " : " =~ ");
      text.append(regex(like.regex()));
    }
  }

  private static void oneOf(
      String column,
      List<?> values,
      boolean negated,
      StringBuilder text,
      Function<Object, String> value) {
    String separator = "(";
    for (Object each : values) {
      text.append(separator).append(column);
      text.append(negated ? " != " : " = ").append(value.apply(each));
      separator = negated ? " AND " : " OR ";
    }
    text.append(')');
  }

  private static String regex(String regex) {
    return "/(?:" + regex.replace("/", "\\/") + ")/";
  }

  private String value(Object value, List<Object> values, int firstValue) {
    if (bound) {
      values.add(value);
      return "$p" + (firstValue + values.size() - 1);
    }
    return value instanceof String text
        ? "'" + escaped(text).replace("'", "\\'") + "'"
        : literal(value);
  }

  /** A number or truth as InfluxQL reads it, in text and in values beside it. */
  static String literal(Object value) {
    // As Flux, it has no exponents, and tells floats by their point.
    return value instanceof Double real ? FluxLiteral.decimal(real) : value.toString();
  }

  /** A name alone would mean the field, if any point of the measurement has one of that name. */
  private static String tag(String name) {
    return name(name) + "::tag";
  }

  private static String field(String name) {
    return name(name) + "::field";
  }

  private static String name(String text) {
    return '"' + escaped(text).replace("\"", "\\\"") + '"';
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\n", "\\n");
  }

  /** {@code time} is the clock of the point, quoted or not, wherever it stands. */
  private static void refuseTime(String what, String name) {
    if (name.equalsIgnoreCase("time")) {
      throw new RefusedQueryException(
          "InfluxQL cannot read a %s called '%s'; it always means the point's time."
              .formatted(what, name));
    }
  }

  private static void refuseLineBreaks(String regex) {
    if (regex.indexOf('\n') >= 0) {
      throw new RefusedQueryException(
          "InfluxQL has no line breaks in regular expressions; write \\n in the one of %,d characters."
              .formatted(regex.length()));
    }
  }
}
