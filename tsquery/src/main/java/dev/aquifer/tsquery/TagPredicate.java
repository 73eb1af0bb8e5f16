package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.List;

/**
 * A condition on a point's tags. Immutable. A tag that a point does not have reads as the empty
 * text, on every backend; so {@code ne("ward", "icu")} holds for points without a ward.
 *
 * <p>Values never become part of a statement's text where the server takes bound values, and are
 * escaped where it does not.
 */
public sealed interface TagPredicate {
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
    private static final int MAX_REGEX = 1_000;

    /** Checks name and expression; at most 1,000 characters. */
    public Matches {
      Names.require("tag", tag);
      Names.requireValue("tag " + tag, regex);
      if (regex.isEmpty() || regex.length() > MAX_REGEX) {
        throw new RefusedQueryException(
            "The regular expression for tag %s has %,d characters; use 1 to %,d."
                .formatted(tag, regex.length(), MAX_REGEX));
      }
    }
  }

  /** The condition does not hold. */
  record Not(TagPredicate of) implements TagPredicate {}

  /** All of them hold. */
  record And(List<TagPredicate> all) implements TagPredicate {
    /** Copies the list; at least one. */
    public And {
      all = requireSome("and", all);
    }
  }

  /** One of them holds. */
  record Or(List<TagPredicate> any) implements TagPredicate {
    /** Copies the list; at least one. */
    public Or {
      any = requireSome("or", any);
    }
  }

  /** The tag has the value; the empty text means that it is absent. */
  static TagPredicate eq(String tag, String value) {
    return new Equal(tag, value);
  }

  /** The tag does not have the value. */
  static TagPredicate ne(String tag, String value) {
    return new Not(new Equal(tag, value));
  }

  /** The tag has one of the values. */
  static TagPredicate in(String tag, List<String> values) {
    return new In(tag, values);
  }

  /** The tag matches somewhere: POSIX on PostgreSQL, RE2 on InfluxDB. */
  static TagPredicate matches(String tag, String regex) {
    return new Matches(tag, regex);
  }

  /** All of them hold. */
  static TagPredicate and(TagPredicate... all) {
    return new And(List.of(all));
  }

  /** One of them holds. */
  static TagPredicate or(TagPredicate... any) {
    return new Or(List.of(any));
  }

  /** The condition does not hold. */
  static TagPredicate not(TagPredicate of) {
    return new Not(of);
  }

  private static List<TagPredicate> requireSome(String what, List<TagPredicate> parts) {
    if (parts.isEmpty()) {
      throw new RefusedQueryException(what + "() has no conditions; give at least one.");
    }
    return List.copyOf(parts);
  }
}
