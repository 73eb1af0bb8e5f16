package dev.aquifer.tsquery.flux;

import org.jspecify.annotations.Nullable;

/** Which windows and which aggregates storage computes. */
final class Windows {
  private Windows() {}

  /** Why storage does not make these windows; null where it does. */
  static Predicates.@Nullable Obstacle obstacle(Step window, boolean utc) {
    Expression period = window.constant("period");
    Expression every = window.constant("every");
    boolean zero = Long.valueOf(0).equals(Constants.nanos(period));
    if (window.has("period") && !zero && !same(every, period)) {
      return at(window, "storage makes windows only where the period is every");
    }
    if (Constants.negative(window.constant("offset"))) {
      return at(window, "storage makes no windows with a negative offset");
    }
    boolean inZone = !utc && !window.has("location");
    if (inZone || window.has("location")) {
      return at(window, "storage makes windows in UTC alone");
    }
    return standard(window)
        ? null
        : at(window, "storage makes windows by _time, _start and _stop alone");
  }

  private static Predicates.Obstacle at(Step step, String reason) {
    return new Predicates.Obstacle(reason, step.place());
  }

  /** Whether two durations are equal: of fixed length, or written alike. */
  private static boolean same(@Nullable Expression one, @Nullable Expression other) {
    if (one == null || other == null) {
      return false;
    }
    Long nanos = Constants.nanos(one);
    return nanos == null ? one.equals(other) : nanos.equals(Constants.nanos(other));
  }

  static boolean standard(Step window) {
    return "_time".equals(window.text("timeColumn", "_time"))
        && "_start".equals(window.text("startColumn", "_start"))
        && "_stop".equals(window.text("stopColumn", "_stop"));
  }

  static boolean infinite(Step window) {
    return window.argument("every") instanceof Meaning.Builtin builtin
        && builtin.name().equals("inf");
  }

  /** Whether an aggregate is of the column that storage aggregates. */
  static boolean ofValue(Step aggregate) {
    return "_value".equals(aggregate.text("column", "_value"));
  }

  /** Whether the option {@code location}, where there is one, is UTC. */
  static boolean utc(@Nullable Expression location) {
    if (location == null) {
      return true;
    }
    if (location instanceof Expression.Call call
        && call.callee() instanceof Expression.Member member
        && member.name().equals("location")
        && call.arguments().size() == 1) {
      return call.arguments().get(0).value() instanceof Expression.Text zone
          && zone.value().equals("UTC");
    }
    return location instanceof Expression.Member member && member.name().equals("utc");
  }
}
