package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.flux.FluxLiteral;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Renders a request as one statement for InfluxDB 3, in the SQL of DataFusion: a SELECT for all
 * stretches of the same windows. Names are quoted; every value, the tenant first of all, is a
 * parameter: {@code $tenant}, then {@code $p1}, {@code $p2}, …
 *
 * <p>The server reads in parallel, so its own {@code sum} and {@code avg} add up floats in an order
 * that differs from one run to the next. An answer must not depend on it, else a cached window
 * would differ in its last bits from one fetched with others. So sums are running ones over each
 * window's points in order of time and value, added up one by one, of which the last is taken;
 * means are those by their counts; first and last are the ends of the same order. Points without
 * the field stand where they cannot be taken: {@code FILTER} is not read by all versions.
 */
final class Influx3Dialect {
  static final String WINDOW = "w";
  static final String GROUP = "g";

  /** Which of several requests a row is of. */
  static final String REQUEST = "request";

  static final String COUNT = "count";
  static final String SUM = "sum";

  /** The sum in any order and as a float: too coarse to answer with, enough to see an overflow. */
  static final String ABOUT = "about";

  /** The squared distances from the mean, added up. */
  static final String SQUARES = "squares";

  /** The value in the middle, or the lower one of two. */
  static final String LOW = "low";

  static final String HIGH = "high";

  void check(TimeSeriesQuery query) {
    query.selections().forEach(selection -> refuseTime("field", selection.field()));
    query.groupBy().forEach(tag -> refuseTime("tag", tag));
    Condition condition = query.condition();
    if (condition != null) {
      Condition.tags(condition).forEach(tag -> refuseTime("tag", tag));
    }
  }

  /** The fields of a query, each once; an answer's columns are numbered by them. */
  static List<String> fields(TimeSeriesQuery query) {
    return query.selections().stream().map(Selection::field).distinct().toList();
  }

  /** What a parameter is called. */
  static String parameter(int index) {
    return index == 0 ? "tenant" : "p" + index;
  }

  /** What the columns of a request's values begin with, in an answer to several. */
  static String prefix(int request) {
    return "of" + request + "_";
  }

  StatementText render(FetchRequest request) {
    Map<Object, Integer> parameters = new LinkedHashMap<>();
    return statement(request, query(request, parameters).write(), parameters);
  }

  /** One statement for several of one tenant: each row has values in the columns of one alone. */
  StatementText render(List<FetchRequest> requests) {
    Map<Object, Integer> parameters = new LinkedHashMap<>();
    List<Query> queries = new ArrayList<>();
    List<String> statements = new ArrayList<>();
    for (FetchRequest request : requests) {
      Query query = query(request, parameters);
      queries.add(query);
      statements.add(query.write());
    }
    int groups =
        requests.stream().mapToInt(each -> each.query().groupBy().size()).max().orElseThrow();
    StringBuilder sql = new StringBuilder();
    for (int i = 0; i < requests.size(); i++) {
      sql.append(i == 0 ? "SELECT " : " UNION ALL SELECT ");
      sql.append(i).append(" AS ").append(REQUEST).append(", ").append(WINDOW);
      for (int j = 0; j < groups; j++) {
        sql.append(j < requests.get(i).query().groupBy().size() ? ", " : ", NULL AS ");
        sql.append(GROUP).append(j);
      }
      for (int j = 0; j < requests.size(); j++) {
        for (String column : queries.get(j).answers.keySet()) {
          sql.append(", ").append(i == j ? column : "NULL");
          sql.append(" AS ").append(prefix(j)).append(column);
        }
      }
      sql.append(" FROM (").append(statements.get(i)).append(") AS answer");
    }
    return statement(requests.get(0), sql.toString(), parameters);
  }

  private static Query query(FetchRequest request, Map<Object, Integer> parameters) {
    refuseTime("tenant's tag", request.tenantTag());
    return new Query(request, parameters);
  }

  private static StatementText statement(
      FetchRequest request, String sql, Map<Object, Integer> parameters) {
    List<Object> values = new ArrayList<>();
    values.add(request.tenant().id());
    values.addAll(parameters.keySet());
    return new StatementText(sql, values);
  }

  private static void refuseTime(String what, String name) {
    if (name.equals("time")) {
      throw new RefusedQueryException(
          "InfluxDB 3 cannot read a %s called 'time'; it is the point's time.".formatted(what));
    }
  }

  static String name(String identifier) {
    return '"' + identifier.replace("\"", "\"\"") + '"';
  }

  private static String time(long nanos) {
    String text = Nanos.instant(nanos).toString();
    return "TIMESTAMP '" + text.substring(0, text.length() - 1) + "'";
  }

  private static String interval(long nanos) {
    return "INTERVAL '" + nanos + " nanoseconds'";
  }

  /** As text where it is absent too, and of the one type that answers are read as. */
  static String tag(String tag) {
    return "arrow_cast(coalesce(" + name(tag) + ", ''), 'Utf8')";
  }

  /** One statement while it is written. */
  private static final class Query {
    private final FetchRequest request;
    private final TimeSeriesQuery query;
    private final List<String> fields;
    private final Map<Object, Integer> parameters;

    /** Columns of the answer, and how they are computed. */
    private final Map<String, String> answers = new LinkedHashMap<>();

    /** Columns of each point, for those. */
    private final Map<String, String> running = new LinkedHashMap<>();

    /** Columns of each point that need {@link #running} ones, then those that need these. */
    private final Map<String, String> second = new LinkedHashMap<>();

    private final Map<String, String> third = new LinkedHashMap<>();

    private final String series;

    Query(FetchRequest request, Map<Object, Integer> parameters) {
      this.request = request;
      this.parameters = parameters;
      this.query = request.query();
      this.fields = fields(query);
      StringBuilder columns = new StringBuilder(WINDOW);
      for (int i = 0; i < query.groupBy().size(); i++) {
        columns.append(", ").append(GROUP).append(i);
      }
      this.series = columns.toString();
    }

    String write() {
      for (int i = 0; i < query.selections().size(); i++) {
        Selection selection = query.selections().get(i);
        answer(selection, i, fields.indexOf(selection.field()));
      }
      StringBuilder sql = new StringBuilder();
      List<Stretch> left = new ArrayList<>(request.stretches());
      while (!left.isEmpty()) {
        List<Stretch> alike = left.stream().filter(left.get(0)::alike).toList();
        left.removeAll(alike);
        sql.append(sql.isEmpty() ? "" : " UNION ALL ");
        select(alike, sql);
      }
      return sql.toString();
    }

    private void select(List<Stretch> alike, StringBuilder sql) {
      sql.append("SELECT ").append(series);
      append(answers, sql);
      sql.append(" FROM (");
      List<Map<String, String>> layers =
          Stream.of(third, second, running).filter(columns -> !columns.isEmpty()).toList();
      for (Map<String, String> columns : layers) {
        sql.append("SELECT *");
        append(columns, sql);
        sql.append(" FROM (");
      }
      points(alike, sql);
      sql.append(") AS p").append(") AS p".repeat(layers.size()));
      sql.append(" GROUP BY ").append(series);
    }

    private static void append(Map<String, String> columns, StringBuilder sql) {
      columns.forEach(
          (column, expression) ->
              sql.append(", ").append(expression).append(" AS ").append(column));
    }

    private void answer(Selection selection, int index, int of) {
      String field = "f" + of;
      switch (selection.aggregate()) {
        case COUNT -> count(of);
        case SUM -> sum(of);
        case MEAN -> {
          sum(of);
          count(of);
        }
        case MIN -> answers.put("min" + of, "min(" + field + ")");
        case MAX -> answers.put("max" + of, "max(" + field + ")");
        case SPREAD -> {
          answers.put("min" + of, "min(" + field + ")");
          answers.put("max" + of, "max(" + field + ")");
        }
        case FIRST ->
            answers.put(
                "first" + of, "first_value(%1$s ORDER BY %1$s IS NULL, t, %1$s)".formatted(field));
        case LAST ->
            answers.put(
                "last" + of,
                "last_value(%1$s ORDER BY %1$s IS NOT NULL, t, %1$s)".formatted(field));
        case STDDEV -> {
          squares(of);
          count(of);
        }
        case MEDIAN -> {
          answers.put(LOW + of, placed(of, "(c" + of + " + 1) / 2"));
          answers.put(HIGH + of, placed(of, "c" + of + " / 2 + 1"));
        }
        case QUANTILE -> {
          double q = Objects.requireNonNull(selection.quantile());
          String share = FluxLiteral.decimal(q);
          answers.put(
              "quantile" + index,
              placed(of, q == 0 ? "1" : "ceil(CAST(%s AS DOUBLE) * c%d)".formatted(share, of)));
        }
        case DISTINCT -> answers.put("distinct" + of, distinct(field));
      }
    }

    private void count(int of) {
      answers.put(COUNT + of, "count(f" + of + ")");
    }

    private void sum(int of) {
      running.put("s" + of, "sum(f" + of + ")" + soFar(inOrder(of)));
      last(SUM, "s", of);
      answers.put(ABOUT + of, "sum(CAST(f" + of + " AS DOUBLE))");
    }

    /**
     * As Youngs and Cramer add them up. The product is refused for texts and truths, unlike a cast;
     * of floats it is nothing, so its sum would be the same as {@link #sum}'s, which the server
     * takes for an error where both stand beside each other.
     */
    private void squares(int of) {
      String real = "f" + of + " * CAST(1 AS DOUBLE)";
      running.put("k" + of, "count(f" + of + ")" + soFar(inOrder(of)));
      second.put("x" + of, "sum(" + real + ")" + soFar("n" + of));
      third.put(
          "q" + of,
          "sum(CASE WHEN k%1$d > 1 THEN %2$s * %2$s / (CAST(k%1$d AS DOUBLE) * (k%1$d - 1)) END)"
                  .formatted(of, "(" + real + " * k" + of + " - x" + of + ")")
              + soFar("n" + of));
      last(SQUARES, "q", of);
    }

    /** What is reached at a window's last point. */
    private void last(String column, String running, int of) {
      this.running.put(
          "n" + of, "row_number() OVER (PARTITION BY " + series + " ORDER BY " + inOrder(of) + ")");
      answers.put(column + of, "last_value(%2$s%1$d ORDER BY n%1$d)".formatted(of, running));
    }

    private String soFar(String order) {
      return " OVER (PARTITION BY %s ORDER BY %s ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
          .formatted(series, order);
    }

    private static String inOrder(int of) {
      return "t, f" + of;
    }

    /** The value at a place in order of size, counted from 1. */
    private String placed(int of, String place) {
      running.put(
          "r" + of,
          "row_number() OVER (PARTITION BY %s ORDER BY f%d NULLS LAST)".formatted(series, of));
      running.put("c" + of, "count(f%d) OVER (PARTITION BY %s)".formatted(of, series));
      return "max(CASE WHEN r%1$d = %2$s THEN f%1$d END)".formatted(of, place);
    }

    /** By their texts, which differ as the values do, for the two zeros are two to the server. */
    private static String distinct(String field) {
      String text = "arrow_cast(" + field + ", 'Utf8')";
      return "count(DISTINCT CASE WHEN arrow_typeof(%s) = 'Float64' AND %2$s = '-0.0' THEN '0.0' ELSE %2$s END)"
          .formatted(field, text);
    }

    private void points(List<Stretch> alike, StringBuilder sql) {
      Stretch windows = alike.get(0);
      String window =
          "date_bin(%s, \"time\", %s)"
              .formatted(interval(windows.everyNanos()), time(windows.offsetNanos()));
      sql.append("SELECT ").append(window).append(" AS ").append(WINDOW);
      for (int i = 0; i < query.groupBy().size(); i++) {
        sql.append(", ").append(tag(query.groupBy().get(i))).append(" AS ").append(GROUP).append(i);
      }
      sql.append(", \"time\" AS t");
      for (int i = 0; i < fields.size(); i++) {
        sql.append(", ").append(name(fields.get(i))).append(" AS f").append(i);
      }
      sql.append(" FROM ").append(name(query.measurement()));
      sql.append(" WHERE ").append(name(request.tenantTag())).append(" = ");
      sql.append('$').append(parameter(0)).append(" AND ");
      ranges(alike.stream().map(Stretch::range).toList(), sql);
      if (windows.gapped()) {
        sql.append(" AND \"time\" < ").append(window).append(" + ");
        sql.append(interval(windows.periodNanos()));
      }
      Condition condition = query.condition();
      if (condition != null) {
        sql.append(" AND ");
        new Influx3Conditions(parameters, sql).write(condition);
      }
      sql.append(
          fields.stream()
              .map(field -> name(field) + " IS NOT NULL")
              .collect(Collectors.joining(" OR ", " AND (", ")")));
    }

    /**
     * The bounds of all ranges, by which the server finds its files, then each where they differ.
     */
    private static void ranges(List<TimeRange> ranges, StringBuilder sql) {
      between(
          ranges.stream().mapToLong(TimeRange::startNanos).min().orElseThrow(),
          ranges.stream().mapToLong(TimeRange::stopNanos).max().orElseThrow(),
          sql);
      if (ranges.size() > 1) {
        String separator = " AND (";
        for (TimeRange range : ranges) {
          sql.append(separator).append('(');
          between(range.startNanos(), range.stopNanos(), sql);
          sql.append(')');
          separator = " OR ";
        }
        sql.append(')');
      }
    }

    private static void between(long start, long stop, StringBuilder sql) {
      sql.append("\"time\" >= ").append(time(start)).append(" AND \"time\" < ").append(time(stop));
    }
  }
}
