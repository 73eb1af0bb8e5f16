package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.List;

/**
 * A condition on one of a point's tags. Immutable. Tags are texts, and are compared by equality and
 * regular expressions alone, as InfluxDB does. A tag that a point does not have reads as the empty
 * text, on every backend; so {@code ne("ward", "icu")} holds for points without a ward.
 */
public sealed interface TagPredicate extends PointPredicate {
  /** The tag has the value. */
  record Equal(String tag, String value) implements TagPredicate {
    /** Checks name and value. */
    public Equal {
      Names.require("tag", tag);
      Names.requireValue("tag " + tag, value);
    }
  }

  /** The tag has one of the values. */
  record In(String tag, List<String> values) implements TagPredicate {
    /** Checks name and values; at least one. */
    public In {
      Names.require("tag", tag);
      values = List.copyOf(values);
      if (values.isEmpty()) {
        throw new RefusedQueryException(
            "in() for tag %s has no values; it would hold for no point.".formatted(tag));
      }
      for (String value : values) {
        Names.requireValue("tag " + tag, value);
      }
    }
  }

  /** The tag matches the regular expression somewhere, in the server's own syntax. */
  record Matches(String tag, String regex) implements TagPredicate {
    /** Checks name and expression; at most 1,000 characters. */
    public Matches {
      Names.require("tag", tag);
      Names.requireRegex("tag " + tag, regex);
    }
  }

  /** The tag has the value; the empty text means that it is absent. */
  static TagPredicate eq(String tag, String value) {
    return new Equal(tag, value);
  }

  /** The tag does not have the value. */
  static PointPredicate ne(String tag, String value) {
    return PointPredicate.not(new Equal(tag, value));
  }

  /** The tag has one of the values. */
  static TagPredicate in(String tag, List<String> values) {
    return new In(tag, values);
  }

  /** The tag has none of the values. */
  static PointPredicate notIn(String tag, List<String> values) {
    return PointPredicate.not(new In(tag, values));
  }

  /** The tag matches somewhere: POSIX on PostgreSQL, RE2 on InfluxDB, Rust's on 3.x. */
  static TagPredicate matches(String tag, String regex) {
    return new Matches(tag, regex);
  }
}
