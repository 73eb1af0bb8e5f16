package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a condition says of fields: of which, and what kind of value it takes them to be.
 *
 * <p>InfluxDB's storage has each field by itself, a table of points has all of them in a row. A
 * condition on another field than the one that is selected would mean something else on each, or
 * nothing; so there is none.
 */
final class FieldScope {
  private FieldScope() {}

  /** Refuses conditions on fields that are not the one that is selected, or on several kinds. */
  static void require(Condition condition, List<Selection> selections) {
    Set<String> compared = new TreeSet<>();
    Set<String> kinds = new TreeSet<>();
    for (Condition leaf : Condition.leaves(condition)) {
      String field = field(leaf);
      if (field != null) {
        compared.add(field);
        operands(leaf).forEach(value -> kinds.add(kind(value)));
      }
    }
    Set<String> selected =
        selections.stream().map(Selection::field).collect(Collectors.toCollection(TreeSet::new));
    if (!compared.isEmpty() && (compared.size() > 1 || !compared.equals(selected))) {
      throw new RefusedQueryException(
          ("The predicate is on %s, but %s selected: a condition on a field chooses among its own"
                  + " values. Select that field alone, and others by queries of their own.")
              .formatted(named(compared), named(selected) + verb(selected.size())));
    }
    if (kinds.size() > 1) {
      throw new RefusedQueryException(
          "The predicate takes %s to be %s at once; a field has values of one kind."
              .formatted(named(compared), String.join(" and ", kinds)));
    }
  }

  /** The field that a condition is on; null for tags. */
  static @Nullable String field(Condition leaf) {
    if (leaf instanceof Condition.ValueOneOf oneOf) {
      return oneOf.field();
    } else if (leaf instanceof Condition.Compared compared) {
      return compared.field();
    }
    return leaf instanceof Condition.ValueLike like ? like.field() : null;
  }

  /** What a condition compares a field with. */
  static List<Object> operands(Condition leaf) {
    if (leaf instanceof Condition.ValueOneOf oneOf) {
      return oneOf.values();
    }
    return leaf instanceof Condition.Compared compared ? List.of(compared.value()) : List.of("");
  }

  /** What a value is, in words. */
  static String kind(Object value) {
    return value instanceof Number ? "a number" : value instanceof Boolean ? "a boolean" : "a text";
  }

  private static String named(Set<String> names) {
    return (names.size() == 1 ? "field " : "fields ")
        + names.stream().map(Names::printable).collect(Collectors.joining(", "));
  }

  private static String verb(int count) {
    return count == 1 ? " is" : " are";
  }
}
