package dev.aquifer.tsquery.flux;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Takes apart what the server's library writes in terms of other functions. */
final class Steps {
  /** Functions that are others one after the other, by the kinds of the steps. */
  private static final Map<String, List<String>> CHAINS =
      Map.ofEntries(
          Map.entry("median", List.of("quantile")),
          Map.entry("top", List.of("sort", "limit")),
          Map.entry("bottom", List.of("sort", "limit")),
          Map.entry("stateCount", List.of("stateTracking")),
          Map.entry("stateDuration", List.of("stateTracking")),
          Map.entry("increase", List.of("difference", "cumulativeSum")),
          Map.entry("toBool", List.of("map")),
          Map.entry("toFloat", List.of("map")),
          Map.entry("toInt", List.of("map")),
          Map.entry("toString", List.of("map")),
          Map.entry("toTime", List.of("map")),
          Map.entry("toUInt", List.of("map")),
          Map.entry("truncateTimeColumn", List.of("map")),
          Map.entry("timeWeightedAvg", List.of("integral", "map")),
          Map.entry("highestMax", List.of("group", "max", "group", "sort", "limit")),
          Map.entry("highestAverage", List.of("group", "mean", "group", "sort", "limit")),
          Map.entry("highestCurrent", List.of("group", "last", "group", "sort", "limit")),
          Map.entry("lowestMin", List.of("group", "min", "group", "sort", "limit")),
          Map.entry("lowestAverage", List.of("group", "mean", "group", "sort", "limit")),
          Map.entry("lowestCurrent", List.of("group", "last", "group", "sort", "limit")));

  private int made;

  /** How many there are so far. */
  int made() {
    return made;
  }

  Step of(String kind, Expression.Call call, List<Step> inputs, Map<String, Meaning> arguments) {
    made++;
    return new Step(kind, call, inputs, arguments);
  }

  Step named(String name, Expression.Call call, List<Step> inputs, Map<String, Meaning> arguments) {
    List<String> kinds = CHAINS.getOrDefault(name, List.of(name));
    if (kinds.size() == 1) {
      return of(kinds.get(0), call, inputs, arguments);
    }
    List<Step> from = inputs;
    Step last = null;
    for (String kind : kinds) {
      last = of(kind, call, from, chained(kind, arguments, last == null));
      from = List.of(last);
    }
    return last == null ? of(name, call, inputs, arguments) : last;
  }

  /** The first group of the highest and lowest is by their columns, the second by none. */
  private static Map<String, Meaning> chained(
      String kind, Map<String, Meaning> arguments, boolean first) {
    Map<String, Meaning> own = new LinkedHashMap<>();
    if (kind.equals("group") && first && arguments.containsKey("groupColumns")) {
      own.put("columns", arguments.getOrDefault("groupColumns", Meaning.UNKNOWN));
    } else if (!kind.equals("group") && !kind.equals("limit")) {
      own.putAll(arguments);
    }
    return own;
  }

  /** The first of the steps that {@code aggregateWindow} is; the function follows it. */
  Step firstWindow(Expression.Call call, List<Step> inputs, Map<String, Meaning> arguments) {
    Map<String, Meaning> own = new LinkedHashMap<>(arguments);
    own.keySet().retainAll(List.of("every", "period", "offset", "location"));
    own.put(
        "createEmpty",
        arguments.getOrDefault(
            "createEmpty", new Meaning.Constant(new Expression.Name("true", call.place()))));
    return of("window", call, inputs, own);
  }

  /** What follows the function in {@code aggregateWindow}: empty windows, labels, one table. */
  Step relabel(Expression.Call call, Step windows, Map<String, Meaning> arguments) {
    Place place = call.place();
    Step filled = windows;
    boolean dense =
        arguments.get("createEmpty") instanceof Meaning.Constant constant
            && constant.value() instanceof Expression.Name name
            && name.name().equals("false");
    if (!dense) {
      filled = of("experimental/table.fill", call, List.of(windows), Map.of());
    }
    Meaning label =
        arguments.getOrDefault(
            "timeDst", new Meaning.Constant(new Expression.Text("_time", place)));
    Step labelled =
        of(
            "duplicate",
            call,
            List.of(filled),
            Map.of(
                "column",
                arguments.getOrDefault(
                    "timeSrc", new Meaning.Constant(new Expression.Text("_stop", place))),
                "as",
                label));
    return of(
        "window",
        call,
        List.of(labelled),
        Map.of("every", new Meaning.Builtin("inf"), "timeColumn", label));
  }
}
