package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A predicate in the one form that dialects render and fingerprints hash: negations pushed down to
 * the leaves (InfluxQL has none, and SQL's is three-valued), groups flattened, members sorted and
 * free of duplicates. Predicates that differ only in such ways are one condition.
 */
sealed interface Condition {
  /** The tag is one of the values; negated: none of them. Sorted. */
  record OneOf(String tag, List<String> values, boolean negated) implements Condition {}

  /** The tag matches; negated: it does not. */
  record Like(String tag, String regex, boolean negated) implements Condition {}

  /** The field is one of the values; negated: it has another. Sorted. */
  record ValueOneOf(String field, List<Object> values, boolean negated) implements Condition {}

  /** The field's number compares so with another. */
  record Compared(String field, FieldPredicate.Comparison comparison, Number value)
      implements Condition {}

  /** The field's text matches; negated: it does not. */
  record ValueLike(String field, String regex, boolean negated) implements Condition {}

  /** All or any of at least two members, in the order of their canonical form. */
  record Group(boolean all, List<Condition> members) implements Condition {}

  /** One order of values, whatever they are. */
  Comparator<Object> VALUES =
      Comparator.comparing((Object value) -> value.getClass().getName())
          .thenComparing(Object::toString);

  int MAX_LEAVES = 1_000;
  int MAX_DEPTH = 32;

  static Condition of(PointPredicate predicate) {
    int[] leaves = {0};
    return normal(predicate, false, 0, leaves);
  }

  /** Every tag that is named, in order, once. */
  static Set<String> tags(Condition condition) {
    Set<String> tags = new TreeSet<>();
    for (Condition leaf : leaves(condition)) {
      if (leaf instanceof OneOf oneOf) {
        tags.add(oneOf.tag);
      } else if (leaf instanceof Like like) {
        tags.add(like.tag);
      }
    }
    return tags;
  }

  /** Every regular expression, of tags and of fields. */
  static List<String> regexes(Condition condition) {
    List<String> regexes = new ArrayList<>();
    for (Condition leaf : leaves(condition)) {
      if (leaf instanceof Like like) {
        regexes.add(like.regex);
      } else if (leaf instanceof ValueLike like) {
        regexes.add(like.regex);
      }
    }
    return regexes;
  }

  /** Everything but groups. */
  static List<Condition> leaves(Condition condition) {
    return condition instanceof Group group
        ? group.members.stream().flatMap(member -> leaves(member).stream()).toList()
        : List.of(condition);
  }

  /**
   * A condition on the field that holds for all of its values, where alternatives within a
   * condition are on tags and on the field; null where none are.
   */
  static @Nullable Condition eitherOfMixed(Condition condition) {
    if (!(condition instanceof Group group)) {
      return null;
    }
    if (group.all) {
      return group.members.stream()
          .map(Condition::eitherOfMixed)
          .filter(Objects::nonNull)
          .findFirst()
          .orElse(null);
    }
    List<Condition> leaves = leaves(group);
    List<Condition> ofField =
        leaves.stream().filter(leaf -> FieldScope.field(leaf) != null).toList();
    return ofField.isEmpty() || ofField.size() == leaves.size() ? null : either(ofField.get(0));
  }

  /** A condition on a field, or that it does not hold; one value will do. */
  private static Condition either(Condition ofField) {
    if (ofField instanceof Compared compared) {
      Compared negated =
          new Compared(compared.field, compared.comparison.negated(), compared.value);
      return new Group(false, List.of(compared, negated));
    }
    if (ofField instanceof ValueOneOf oneOf) {
      List<Object> one = List.of(oneOf.values.get(0));
      return new Group(
          false,
          List.of(new ValueOneOf(oneOf.field, one, false), new ValueOneOf(oneOf.field, one, true)));
    }
    ValueLike like = (ValueLike) ofField;
    return new Group(false, List.of(like, new ValueLike(like.field, like.regex, !like.negated)));
  }

  /** Writes every part with its length before it, so that no value can look like a structure. */
  static void encode(Condition condition, Canonical out) {
    if (condition instanceof OneOf oneOf) {
      out.text(oneOf.negated ? "not-in" : "in").text(oneOf.tag).number(oneOf.values.size());
      oneOf.values.forEach(out::text);
    } else if (condition instanceof Like like) {
      out.text(like.negated ? "unlike" : "like").text(like.tag).text(like.regex);
    } else if (condition instanceof ValueOneOf oneOf) {
      out.text(oneOf.negated ? "value-not-in" : "value-in").text(oneOf.field);
      out.number(oneOf.values.size());
      oneOf.values.forEach(out::value);
    } else if (condition instanceof Compared compared) {
      out.text(compared.comparison.name()).text(compared.field).value(compared.value);
    } else if (condition instanceof ValueLike like) {
      out.text(like.negated ? "value-unlike" : "value-like").text(like.field).text(like.regex);
    } else if (condition instanceof Group group) {
      out.text(group.all ? "and" : "or").number(group.members.size());
      group.members.forEach(member -> encode(member, out));
    }
  }

  private static Condition normal(
      PointPredicate predicate, boolean negated, int depth, int[] leaves) {
    if (depth > MAX_DEPTH) {
      throw new RefusedQueryException(
          "The predicate is nested deeper than %d levels.".formatted(MAX_DEPTH));
    }
    if (predicate instanceof PointPredicate.Not not) {
      return normal(not.of(), !negated, depth + 1, leaves);
    }
    if (predicate instanceof PointPredicate.And and) {
      return group(!negated, and.all(), negated, depth, leaves);
    }
    if (predicate instanceof PointPredicate.Or or) {
      return group(negated, or.any(), negated, depth, leaves);
    }
    if (predicate instanceof TagPredicate.Equal equal) {
      count(leaves, 1);
      return new OneOf(equal.tag(), List.of(equal.value()), negated);
    }
    if (predicate instanceof TagPredicate.In in) {
      count(leaves, in.values().size());
      return new OneOf(in.tag(), List.copyOf(new TreeSet<>(in.values())), negated);
    }
    if (predicate instanceof TagPredicate.Matches matches) {
      count(leaves, 1);
      return new Like(matches.tag(), matches.regex(), negated);
    }
    return ofField((FieldPredicate) predicate, negated, leaves);
  }

  private static Condition ofField(FieldPredicate predicate, boolean negated, int[] leaves) {
    if (predicate instanceof FieldPredicate.In in) {
      count(leaves, in.values().size());
      return new ValueOneOf(
          in.field(), in.values().stream().distinct().sorted(VALUES).toList(), negated);
    }
    count(leaves, 1);
    if (predicate instanceof FieldPredicate.Compared compared) {
      FieldPredicate.Comparison own = compared.comparison();
      return new Compared(compared.field(), negated ? own.negated() : own, compared.value());
    }
    FieldPredicate.Matches matches = (FieldPredicate.Matches) predicate;
    return new ValueLike(matches.field(), matches.regex(), negated);
  }

  private static Condition group(
      boolean all, List<PointPredicate> parts, boolean negated, int depth, int[] leaves) {
    Map<String, Condition> sorted = new TreeMap<>();
    for (PointPredicate part : parts) {
      Condition member = normal(part, negated, depth + 1, leaves);
      List<Condition> flat =
          member instanceof Group group && group.all == all ? group.members : List.of(member);
      for (Condition each : flat) {
        Canonical form = new Canonical();
        encode(each, form);
        sorted.put(form.digest(), each);
      }
    }
    List<Condition> members = new ArrayList<>(sorted.values());
    return members.size() == 1 ? members.get(0) : new Group(all, List.copyOf(members));
  }

  private static void count(int[] leaves, int more) {
    leaves[0] += more;
    if (leaves[0] > MAX_LEAVES) {
      throw new RefusedQueryException(
          "The predicate compares with more than %,d values.".formatted(MAX_LEAVES));
    }
  }
}
