package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The stages of a query, before they run: whether they can, and what a fingerprint hashes. */
final class Stages {
  private static final int MOST = 16;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_PARTS = 100;

  private Stages() {}

  /** Refuses what can be known without an answer: too many stages, columns that are not there. */
  static void require(List<Stage> stages, List<Selection> selections) {
    if (stages.size() > MOST) {
      throw new RefusedQueryException(
          "The query has %d stages; at most %d are allowed.".formatted(stages.size(), MOST));
    }
    Set<String> columns = new LinkedHashSet<>();
    selections.forEach(selection -> columns.add(selection.name()));
    for (Stage stage : stages) {
      if (stage instanceof Stage.Sort sort) {
        requireColumn(sort.column(), columns);
      } else if (stage instanceof Stage.Ranked ranked) {
        requireColumn(ranked.column(), columns);
      } else if (stage instanceof Stage.Map map) {
        requireColumns(map.value(), columns, 0, new int[] {0});
        columns.add(map.column());
      }
    }
  }

  private static void requireColumns(
      ColumnExpression value, Set<String> columns, int depth, int[] parts) {
    if (depth > MAX_DEPTH || ++parts[0] > MAX_PARTS) {
      throw new RefusedQueryException(
          "The arithmetic of a column is nested deeper than %d levels, or has over %d parts."
              .formatted(MAX_DEPTH, MAX_PARTS));
    }
    if (value instanceof ColumnExpression.Column column) {
      requireColumn(column.name(), columns);
    } else if (value instanceof ColumnExpression.Combined combined) {
      requireColumns(combined.left(), columns, depth + 1, parts);
      requireColumns(combined.right(), columns, depth + 1, parts);
    }
  }

  private static void requireColumn(String name, Set<String> columns) {
    if (!columns.contains(name)) {
      throw new RefusedQueryException(
          "A stage reads the column '%s', but there are %s at that point."
              .formatted(Names.printable(name), columns));
    }
  }

  /** Writes every stage with its kind before it. */
  static void encode(List<Stage> stages, Canonical out) {
    out.number(stages.size());
    for (Stage stage : stages) {
      out.text(stage.getClass().getSimpleName());
      if (stage instanceof Stage.Limit limit) {
        out.number(limit.windows()).value(limit.last());
      } else if (stage instanceof Stage.Sort sort) {
        out.text(sort.column()).value(sort.descending());
      } else if (stage instanceof Stage.Ranked ranked) {
        out.number(ranked.windows()).text(ranked.column()).value(ranked.largest());
      } else if (stage instanceof Stage.Difference difference) {
        out.value(difference.nonNegative());
      } else if (stage instanceof Stage.Derivative derivative) {
        out.number(derivative.unit().toNanos()).value(derivative.nonNegative());
      } else if (stage instanceof Stage.MovingAverage average) {
        out.number(average.windows());
      } else if (stage instanceof Stage.Map map) {
        encode(map.value(), out.text(map.column()));
      }
    }
  }

  private static void encode(ColumnExpression value, Canonical out) {
    if (value instanceof ColumnExpression.Column column) {
      out.text("column").text(column.name());
    } else if (value instanceof ColumnExpression.Constant constant) {
      out.text("constant").real(constant.value());
    } else if (value instanceof ColumnExpression.Combined combined) {
      encode(combined.left(), out.text(combined.operator().name()));
      encode(combined.right(), out);
    }
  }
}
