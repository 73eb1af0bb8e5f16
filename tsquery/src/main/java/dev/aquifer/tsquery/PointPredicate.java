package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.List;

/**
 * A condition on points: on their tags ({@link TagPredicate}), on the values of a field ({@link
 * FieldPredicate}), or made of such. Immutable.
 *
 * <p>Values never become part of a statement's text where the server takes bound values, and are
 * escaped where it does not.
 */
public sealed interface PointPredicate
    permits TagPredicate,
        FieldPredicate,
        PointPredicate.Not,
        PointPredicate.And,
        PointPredicate.Or {
  /** The condition does not hold. */
  record Not(PointPredicate of) implements PointPredicate {}

  /** All of them hold. */
  record And(List<PointPredicate> all) implements PointPredicate {
    /** Copies the list; at least one. */
    public And {
      all = requireSome("and", all);
    }
  }

  /** One of them holds. */
  record Or(List<PointPredicate> any) implements PointPredicate {
    /** Copies the list; at least one. */
    public Or {
      any = requireSome("or", any);
    }
  }

  /** All of them hold. */
  static PointPredicate and(PointPredicate... all) {
    return new And(List.of(all));
  }

  /** One of them holds. */
  static PointPredicate or(PointPredicate... any) {
    return new Or(List.of(any));
  }

  /** The condition does not hold; of a field that a point does not have, no condition holds. */
  static PointPredicate not(PointPredicate of) {
    return new Not(of);
  }

  private static List<PointPredicate> requireSome(String what, List<PointPredicate> parts) {
    if (parts.isEmpty()) {
      throw new RefusedQueryException(what + "() has no conditions; give at least one.");
    }
    return List.copyOf(parts);
  }
}
