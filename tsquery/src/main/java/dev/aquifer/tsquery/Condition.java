package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A tag predicate in the one form that dialects render and fingerprints hash: negations pushed down
 * to the leaves (InfluxQL has none, and SQL's is three-valued), groups flattened, members sorted
 * and free of duplicates. Predicates that differ only in such ways are one condition.
 */
sealed interface Condition {
  /** The tag is one of the values; negated: none of them. Sorted. */
  record OneOf(String tag, List<String> values, boolean negated) implements Condition {}

  /** The tag matches; negated: it does not. */
  record Like(String tag, String regex, boolean negated) implements Condition {}

  /** All or any of at least two members, in the order of their canonical form. */
  record Group(boolean all, List<Condition> members) implements Condition {}

  int MAX_LEAVES = 1_000;
  int MAX_DEPTH = 32;

  static Condition of(TagPredicate predicate) {
    int[] leaves = {0};
    return normal(predicate, false, 0, leaves);
  }

  /** Every tag that is named, in order, once. */
  static Set<String> tags(Condition condition) {
    Set<String> tags = new TreeSet<>();
    collect(condition, tags);
    return tags;
  }

  /** Writes every part with its length before it, so that no value can look like a structure. */
  static void encode(Condition condition, Canonical out) {
    if (condition instanceof OneOf oneOf) {
      out.text(oneOf.negated ? "not-in" : "in").text(oneOf.tag).number(oneOf.values.size());
      oneOf.values.forEach(out::text);
    } else if (condition instanceof Like like) {
      out.text(like.negated ? "unlike" : "like").text(like.tag).text(like.regex);
    } else if (condition instanceof Group group) {
      out.text(group.all ? "and" : "or").number(group.members.size());
      group.members.forEach(member -> encode(member, out));
    }
  }

  private static Condition normal(
      TagPredicate predicate, boolean negated, int depth, int[] leaves) {
    if (depth > MAX_DEPTH) {
      throw new RefusedQueryException(
          "The tag predicate is nested deeper than %d levels.".formatted(MAX_DEPTH));
    }
    if (predicate instanceof TagPredicate.Not not) {
      return normal(not.of(), !negated, depth + 1, leaves);
    }
    if (predicate instanceof TagPredicate.And and) {
      return group(!negated, and.all(), negated, depth, leaves);
    }
    if (predicate instanceof TagPredicate.Or or) {
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
    TagPredicate.Matches matches = (TagPredicate.Matches) predicate;
    count(leaves, 1);
    return new Like(matches.tag(), matches.regex(), negated);
  }

  private static Condition group(
      boolean all, List<TagPredicate> parts, boolean negated, int depth, int[] leaves) {
    Map<String, Condition> sorted = new TreeMap<>();
    for (TagPredicate part : parts) {
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
          "The tag predicate compares with more than %,d values.".formatted(MAX_LEAVES));
    }
  }

  private static void collect(Condition condition, Set<String> tags) {
    if (condition instanceof OneOf oneOf) {
      tags.add(oneOf.tag);
    } else if (condition instanceof Like like) {
      tags.add(like.tag);
    } else if (condition instanceof Group group) {
      group.members.forEach(member -> collect(member, tags));
    }
  }
}
