package dev.aquifer.tsquery;

import dev.aquifer.tsquery.flux.FluxLiteral;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What follows the filter of a read: the windows, and what is computed in them.
 *
 * <p>A range that lies in one window, as the one that is still open does, needs none made: its
 * points are one table a group, which the storage adds up by itself where it can. Such an answer
 * has no times.
 */
final class FluxWindows {
  private static final String SORT = "\n  |> sort(columns: [\"_time\", \"_value\"])";

  // A field of texts or booleans is an error, as it is to sum.
  private static final String NUMBER =
      "if types.isNumeric(v: r._value) then float(v: r._value) else die(msg: \"a field is no"
          + " number\")";

  /**
   * The share of which a quantile is the upper of two values in the middle: it is more than half by
   * less than one of 10^12 points.
   */
  private static final String ABOVE_HALF = FluxLiteral.decimal(0.5 + 1e-12);

  private final TimeSeriesQuery query;
  private final FluxValues values;

  FluxWindows(TimeSeriesQuery query, FluxValues values) {
    this.query = query;
    this.values = values;
  }

  /** Whether the answer to a read says in which window its values are. */
  static boolean labelled(FluxReads.Read read, Stretch stretch) {
    return read.shape() == FluxReads.Shape.POINTS || !stretch.single();
  }

  /** What follows the filter of a read with one result. */
  String one(FluxReads.Read read, Stretch stretch) {
    String windows =
        switch (read.shape()) {
          case SERIES -> number(read) + windows(function(read), read, stretch);
          case POINTS -> "\n  |> group(columns: [\"_field\"])";
          case GROUPED -> group() + windows(function(read), read, stretch);
          case SORTED -> group() + SORT + windows(function(read), read, stretch);
          case SUMMED -> group() + SORT + sums(stretch);
          case SQUARED -> group() + SORT + squares(stretch);
          case TOTALED, MIDDLE -> throw new IllegalStateException("two results");
        };
    return windows + kept(read, stretch);
  }

  /** What follows what {@link #group} made, for the first of two results. */
  String first(FluxReads.Read read, Stretch stretch) {
    String function =
        read.shape() == FluxReads.Shape.MIDDLE ? selector(FluxLiteral.decimal(0.5)) : "sum";
    return windows(function, read, stretch) + kept(read, stretch);
  }

  /** The same, for the second. */
  String second(FluxReads.Read read, Stretch stretch) {
    String function = read.shape() == FluxReads.Shape.MIDDLE ? selector(ABOVE_HALF) : "count";
    return windows(function, read, stretch) + kept(read, stretch);
  }

  String group() {
    return "\n  |> group(columns: " + columns("_field") + ")";
  }

  private String kept(FluxReads.Read read, Stretch stretch) {
    List<String> columns = new ArrayList<>();
    // Points have times, and no windows.
    if (labelled(read, stretch)) {
      columns.add(read.counted() ? "_start" : "_time");
    }
    columns.add("_value");
    if (read.counted()) {
      columns.add("n");
    }
    columns.add("_field");
    return "\n  |> keep(columns: " + columns(columns.toArray(String[]::new)) + ")";
  }

  /** A function in each window. */
  private static String windows(String function, FluxReads.Read read, Stretch stretch) {
    boolean chain = function.contains("(");
    if (!labelled(read, stretch)) {
      return "\n  |> " + (chain ? function.formatted("\"_value\"") : function + "()");
    }
    return "\n  |> aggregateWindow(%s, fn: %s, createEmpty: false, timeSrc: \"_start\")"
        .formatted(
            every(stretch),
            chain ? "(column, tables=<-) => tables |> " + function.formatted("column") : function);
  }

  private static String window(Stretch stretch) {
    return stretch.single() ? "" : "\n  |> window(" + every(stretch) + ")";
  }

  private static String every(Stretch stretch) {
    String window = "every: " + FluxLiteral.duration(stretch.every());
    // The storage makes windows without a period alone.
    window += stretch.gapped() ? ", period: " + FluxLiteral.duration(stretch.period()) : "";
    return stretch.offset().isZero()
        ? window
        : window + ", offset: " + FluxLiteral.duration(stretch.offset());
  }

  /** The function's name; or a chain of calls, with a place for the column's name. */
  private String function(FluxReads.Read read) {
    return switch (read.aggregate()) {
      case DISTINCT -> "distinct(column: %s) |> count()";
      case MEDIAN -> "quantile(q: 0.5, column: %s, method: \"exact_mean\")";
      case QUANTILE -> selector(values.value(Objects.requireNonNull(read.quantile())));
      default -> read.aggregate().function();
    };
  }

  private static String selector(String quantile) {
    return "quantile(q: " + quantile + ", column: %s, method: \"exact_selector\")";
  }

  /** The exact mean of quantiles is one of floats alone. */
  private String number(FluxReads.Read read) {
    if (read.aggregate() != Aggregate.MEDIAN) {
      return "";
    }
    values.asksForTypes();
    return "\n  |> map(fn: (r) => ({r with _value: " + NUMBER + "}))";
  }

  private static String sums(Stretch stretch) {
    return """

      |> map(fn: (r) => ({r with n: 1}))%s
      |> cumulativeSum(columns: ["_value", "n"])
      |> last(column: "n")\
    """
        .formatted(window(stretch));
  }

  /**
   * Squared distances from the mean, by Youngs and Cramer's method: the n-th value x adds (n·x −
   * S)² / (n·(n − 1)), where S is the sum of all up to it.
   */
  private String squares(Stretch stretch) {
    values.asksForTypes();
    return """

      |> map(fn: (r) => ({r with _value: %1$s, x: %1$s, n: 1.0}))%2$s
      |> cumulativeSum(columns: ["_value", "n"])
      |> map(fn: (r) => ({r with _value: if r.n > 1.0 then \
    (r.x * r.n - r._value) * (r.x * r.n - r._value) / (r.n * (r.n - 1.0)) else 0.0}))
      |> cumulativeSum(columns: ["_value"])
      |> last(column: "n")\
    """
        .formatted(NUMBER, window(stretch));
  }

  private String columns(String... own) {
    List<String> all = new ArrayList<>(List.of(own));
    all.addAll(query.groupBy());
    return all.stream().map(FluxLiteral::text).collect(Collectors.joining(", ", "[", "]"));
  }
}
