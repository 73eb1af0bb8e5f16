package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.flux.FluxLiteral;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Renders a request as Flux: a script of one read for each stretch of windows and each part of the
 * {@link FluxReads}. Values are bound as {@code params.p0}, {@code params.p1}, …, regular
 * expressions too, or written as literals for servers that bind none; names are literals that no
 * character leaves.
 *
 * <p>Each read is one that the storage filters by itself: one filter, its comparisons with the
 * literal on the right, no call in it. A tag that a point lacks is null to Flux and the empty text
 * to the storage; comparisons say which is meant, and regular expressions are left to the storage.
 */
final class FluxDialect {
  private static final Set<String> COLUMNS = Set.of("result", "table", "n");
  private static final Pattern SIGNS = Pattern.compile("[\\\\.+*?()|\\[\\]{}^$]");
  private static final int MANY = 64;
  private static final int CHAIN = 8;
  private static final String VALUE = "r[\"_value\"]";

  private final String bucket;
  private final boolean bound;
  private final Map<String, Set<String>> tags;
  private final Map<String, Set<String>> integers;

  /**
   * A dialect for one bucket.
   *
   * @param tags all tags of measurements but the tenant's, where they are known
   * @param integers fields of measurements that are known to be whole numbers
   */
  FluxDialect(
      String bucket,
      boolean bound,
      Map<String, Set<String>> tags,
      Map<String, Set<String>> integers) {
    this.bucket = bucket;
    this.bound = bound;
    this.tags = Map.copyOf(tags);
    this.integers = Map.copyOf(integers);
  }

  void check(TimeSeriesQuery query) {
    for (String tag : query.groupBy()) {
      refuseReserved(tag);
      if (COLUMNS.contains(tag)) {
        throw new RefusedQueryException(
            "Points cannot be grouped by a tag '%s': Flux's answers have a column of that name."
                .formatted(tag));
      }
    }
    Condition condition = query.condition();
    if (condition != null) {
      Condition.tags(condition).forEach(FluxDialect::refuseReserved);
      Condition.regexes(condition).forEach(FluxLiteral::regex);
      Condition.leaves(condition).stream()
          .flatMap(leaf -> FieldScope.operands(leaf).stream())
          .forEach(FluxValues::literal);
    }
  }

  /** All tags of the query's measurement but the tenant's; empty when they are not known. */
  Set<String> tags(TimeSeriesQuery query) {
    return tags.getOrDefault(query.measurement(), Set.of());
  }

  FluxReads plan(TimeSeriesQuery query, boolean few) {
    Set<String> whole = integers.getOrDefault(query.measurement(), Set.of());
    return FluxReads.of(query, few, tags(query), whole);
  }

  /** Whether one read of whole numbers has both the sum and the number of a field's points. */
  boolean totals(TimeSeriesQuery query, String field) {
    return !FluxReads.apart(query, tags(query))
        && integers.getOrDefault(query.measurement(), Set.of()).contains(field);
  }

  StatementText render(FetchRequest request) {
    return render(List.of(request));
  }

  /** One script for all of them; the results of each begin with its {@link #prefix}. */
  StatementText render(List<FetchRequest> requests) {
    refuseReserved(requests.get(0).tenantTag());
    return new Script(requests).write();
  }

  /** What the names of a request's results begin with. */
  static String prefix(int request) {
    return request == 0 ? "" : request + ":";
  }

  /** Names by which InfluxDB means something else than a tag, wherever they stand. */
  private static void refuseReserved(String tag) {
    if (tag.startsWith("_") || tag.equals("$") || tag.equalsIgnoreCase("time")) {
      throw new RefusedQueryException(
          ("Flux cannot read a tag called '%s'; names that begin with an underscore, time and $ are"
                  + " InfluxDB's own.")
              .formatted(Names.printable(tag)));
    }
  }

  /** One script while it is written. */
  private final class Script {
    private final List<FetchRequest> requests;
    private FetchRequest request;
    private String prefix = "";
    private String name = "t";
    private TimeSeriesQuery query;
    private final FluxValues values = new FluxValues(bound);
    private FluxWindows windows;

    Script(List<FetchRequest> requests) {
      this.requests = requests;
      this.request = requests.get(0);
      this.query = request.query();
      this.windows = new FluxWindows(query, values);
    }

    StatementText write() {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < requests.size(); i++) {
        request = requests.get(i);
        query = request.query();
        windows = new FluxWindows(query, values);
        prefix = prefix(i);
        name = i == 0 ? "t" : "t" + i + "_";
        write(plan(query, request.few()).reads(), text);
      }
      return values.statement(text);
    }

    private void write(List<FluxReads.Read> reads, StringBuilder text) {
      for (int i = 0; i < reads.size(); i++) {
        for (int j = 0; j < request.stretches().size(); j++) {
          FluxReads.Read read = reads.get(i);
          Stretch stretch = request.stretches().get(j);
          text.append('\n');
          if (read.twofold()) {
            String points = name + i + "_" + j;
            text.append(points).append(" = ");
            filtered(read, stretch, text);
            text.append(windows.group()).append("\n\n");
            text.append(points).append(windows.first(read, stretch));
            named(FluxReads.result(i, j), text);
            text.append('\n').append(points).append(windows.second(read, stretch));
            named(FluxReads.second(i, j), text);
          } else {
            filtered(read, stretch, text);
            text.append(windows.one(read, stretch));
            named(FluxReads.result(i, j), text);
          }
        }
      }
    }

    private void named(String result, StringBuilder text) {
      text.append("\n  |> yield(name: \"").append(prefix).append(result).append("\")\n");
    }

    private void filtered(FluxReads.Read read, Stretch stretch, StringBuilder text) {
      TimeRange range = stretch.range();
      text.append("from(bucket: ").append(value(bucket)).append(")\n  |> range(start: ");
      text.append(FluxLiteral.time(range.start())).append(", stop: ");
      text.append(FluxLiteral.time(range.stop())).append(")\n  |> filter(fn: (r) => ");
      text.append(tag(request.tenantTag())).append(" == ").append(value(request.tenant().id()));
      text.append(" and ").append(tag("_measurement")).append(" == ");
      text.append(value(query.measurement())).append(" and ");
      anyOf("_field", List.copyOf(read.fields()), text);
      Condition condition = query.condition();
      if (condition != null) {
        text.append(" and ");
        condition(condition, text);
        alwaysOfValue(condition, text);
      }
      text.append(')');
    }

    /**
     * Beside alternatives of tags and values, a condition on the value that always holds. In all
     * shards but the first, the storage applies to a series whose own condition is true by its tags
     * that of a series before, and loses points; so every series is given one of its own.
     */
    private void alwaysOfValue(Condition condition, StringBuilder text) {
      Condition either = Condition.eitherOfMixed(condition);
      if (either != null) {
        text.append(" and ");
        condition(either, text);
      }
    }

    private void condition(Condition condition, StringBuilder text) {
      if (condition instanceof Condition.Group group) {
        List<String> terms = new ArrayList<>();
        for (Condition member : group.members()) {
          StringBuilder term = new StringBuilder();
          condition(member, term);
          terms.add(term.toString());
        }
        join(group.all() ? " and " : " or ", terms, text);
      } else if (condition instanceof Condition.OneOf one && one.negated()) {
        noneOf(one.tag(), one.values(), text);
      } else if (condition instanceof Condition.OneOf one) {
        anyOf(one.tag(), one.values(), text);
      } else if (condition instanceof Condition.Like like) {
        text.append(tag(like.tag())).append(like.negated() ? " !~ " : " =~ ");
        text.append(regex(like.regex()));
      } else {
        ofValue(condition, text);
      }
    }

    /** The read is of the one field that the condition is on. */
    private void ofValue(Condition condition, StringBuilder text) {
      if (condition instanceof Condition.ValueOneOf one
          && bound
          && one.values().size() > MANY
          && one.values().get(0) instanceof String) {
        text.append(VALUE).append(one.negated() ? " !~ " : " =~ ");
        text.append(regex(alternatives(one.values())));
      } else if (condition instanceof Condition.ValueOneOf one) {
        String operator = one.negated() ? " != " : " == ";
        List<String> terms =
            one.values().stream().map(each -> VALUE + operator + value(each)).toList();
        join(one.negated() ? " and " : " or ", terms, text);
      } else if (condition instanceof Condition.Compared compared) {
        text.append(VALUE).append(' ').append(compared.comparison().sign()).append(' ');
        text.append(value(compared.value()));
      } else if (condition instanceof Condition.ValueLike like) {
        text.append(VALUE).append(like.negated() ? " !~ " : " =~ ").append(regex(like.regex()));
      }
    }

    private void anyOf(String tag, List<String> all, StringBuilder text) {
      List<String> terms = comparisons(tag, all, false);
      if (all.contains("")) {
        terms.add("not exists " + tag(tag));
      }
      join(" or ", terms, text);
    }

    private void noneOf(String tag, List<String> all, StringBuilder text) {
      List<String> terms = comparisons(tag, all, true);
      if (all.contains("")) {
        terms.add("exists " + tag(tag));
        join(" and ", terms, text);
      } else {
        text.append("(not exists ").append(tag(tag)).append(" or ");
        join(" and ", terms, text);
        text.append(')');
      }
    }

    /** With each value but the empty one; with many as one: the server is slow to bind many. */
    private List<String> comparisons(String tag, List<String> all, boolean negated) {
      List<String> values = all.stream().filter(each -> !each.isEmpty()).toList();
      if (bound && values.size() > MANY) {
        return new ArrayList<>(
            List.of(tag(tag) + (negated ? " !~ " : " =~ ") + regex(alternatives(values))));
      }
      String operator = negated ? " != " : " == ";
      List<String> terms = new ArrayList<>();
      values.forEach(each -> terms.add(tag(tag) + operator + value(each)));
      return terms;
    }

    private static String alternatives(List<?> values) {
      return values.stream()
          .map(each -> SIGNS.matcher(each.toString()).replaceAll("\\\\$0"))
          .collect(Collectors.joining("|", "^(?:", ")$"));
    }

    /** In halves: the server refuses what is nested as deep as a long chain is. */
    private static void join(String operator, List<String> terms, StringBuilder text) {
      text.append('(');
      if (terms.size() <= CHAIN) {
        text.append(String.join(operator, terms));
      } else {
        int half = terms.size() / 2;
        join(operator, terms.subList(0, half), text);
        text.append(operator);
        join(operator, terms.subList(half, terms.size()), text);
      }
      text.append(')');
    }

    private String regex(String regex) {
      return values.regex(regex);
    }

    private String value(Object value) {
      return values.value(value);
    }

    private String tag(String name) {
      return "r[" + FluxLiteral.text(name) + "]";
    }
  }
}
