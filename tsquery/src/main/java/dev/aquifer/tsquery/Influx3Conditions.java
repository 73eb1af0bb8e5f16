package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Writes the condition of a query for InfluxDB 3. Every value of it is a parameter. Used by one
 * thread.
 */
final class Influx3Conditions {
  private static final Comparator<Object> BY_CLASS =
      Comparator.comparing(value -> value.getClass().getName());

  private final Map<Object, Integer> parameters;
  private final StringBuilder sql;

  /**
   * Conditions of a statement.
   *
   * @param parameters the values of the statement and their numbers; new ones are added
   * @param sql where they are written
   */
  Influx3Conditions(Map<Object, Integer> parameters, StringBuilder sql) {
    this.parameters = parameters;
    this.sql = sql;
  }

  void write(Condition condition) {
    if (condition instanceof Condition.Group group) {
      String separator = "(";
      for (Condition member : group.members()) {
        sql.append(separator);
        write(member);
        separator = group.all() ? " AND " : " OR ";
      }
      sql.append(')');
    } else if (condition instanceof Condition.OneOf oneOf) {
      oneOf(oneOf);
    } else if (condition instanceof Condition.Like like) {
      sql.append(Influx3Dialect.tag(like.tag())).append(like.negated() ? " !~ " : " ~ ");
      sql.append(value(like.regex()));
    } else if (condition instanceof Condition.ValueOneOf oneOf) {
      valueOneOf(oneOf);
    } else if (condition instanceof Condition.Compared compared) {
      sql.append(Influx3Dialect.name(compared.field()))
          .append(' ')
          .append(compared.comparison().sign());
      sql.append(' ').append(value(limit(compared)));
    } else if (condition instanceof Condition.ValueLike like) {
      sql.append(Influx3Dialect.name(like.field())).append(like.negated() ? " !~ " : " ~ ");
      sql.append(value(like.regex()));
    }
  }

  /** Whole numbers and floats apart: beside a float, large whole ones would be rounded. */
  private void valueOneOf(Condition.ValueOneOf oneOf) {
    Map<Object, List<Object>> kinds = new TreeMap<>(BY_CLASS);
    oneOf.values().forEach(each -> kinds.computeIfAbsent(each, k -> new ArrayList<>()).add(each));
    if (oneOf.values().stream().anyMatch(Influx3Conditions::isZero)) {
      kinds.computeIfAbsent(0.0, key -> new ArrayList<>()).addAll(List.of(0.0, -0.0));
    }
    List<String> terms = new ArrayList<>();
    for (List<Object> alike : kinds.values()) {
      terms.add(
          alike.stream()
              .distinct()
              .map(this::value)
              .collect(
                  Collectors.joining(
                      ", ",
                      Influx3Dialect.name(oneOf.field())
                          + (oneOf.negated() ? " NOT IN (" : " IN ("),
                      ")")));
    }
    sql.append('(').append(String.join(oneOf.negated() ? " AND " : " OR ", terms)).append(')');
  }

  /** The server holds −0.0 to be less than 0.0, and not equal to it. */
  private static Object limit(Condition.Compared compared) {
    FieldPredicate.Comparison comparison = compared.comparison();
    boolean below =
        comparison == FieldPredicate.Comparison.LESS
            || comparison == FieldPredicate.Comparison.AT_LEAST;
    return isZero(compared.value()) ? (Object) (below ? -0.0 : 0.0) : compared.value();
  }

  private static boolean isZero(Object value) {
    return value instanceof Number number && number.doubleValue() == 0;
  }

  /** Without functions around the column, so that the server can leave out files by it. */
  private void oneOf(Condition.OneOf oneOf) {
    String column = Influx3Dialect.name(oneOf.tag());
    sql.append('(').append(column).append(oneOf.negated() ? " NOT IN (" : " IN (");
    sql.append(oneOf.values().stream().map(this::value).collect(Collectors.joining(", ")));
    sql.append(')');
    if (oneOf.values().contains("") != oneOf.negated()) {
      sql.append(" OR ").append(column).append(" IS NULL");
    }
    sql.append(')');
  }

  private String value(Object value) {
    return "$"
        + Influx3Dialect.parameter(parameters.computeIfAbsent(value, key -> parameters.size() + 1));
  }
}
