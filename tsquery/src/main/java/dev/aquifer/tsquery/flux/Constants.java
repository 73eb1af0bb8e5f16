package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be computed of a script without running it, exactly as the server would. */
final class Constants {
  /** The longest text that is made of others, in chars; few lines could double one for ever. */
  private static final int MAX_TEXT = 4_096;

  private static final Map<String, Long> NANOS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "µs", 1_000L,
          "ms", 1_000_000L,
          "s", 1_000_000_000L,
          "m", 60_000_000_000L,
          "h", 3_600_000_000_000L,
          "d", 86_400_000_000_000L,
          "w", 604_800_000_000_000L);

  private Constants() {}

  static boolean literal(Expression value) {
    return value instanceof Expression.Text
        || value instanceof Expression.Int
        || value instanceof Expression.Decimal
        || value instanceof Expression.Moment
        || value instanceof Expression.Span
        || value instanceof Expression.Regex;
  }

  /** The literal that an operator makes of two; null where it would be none, or is too long. */
  static @Nullable Expression combine(
      String operator, Expression left, Expression right, Place place) {
    if (left instanceof Expression.Text a && right instanceof Expression.Text b) {
      return operator.equals("+") && a.value().length() + b.value().length() <= MAX_TEXT
          ? new Expression.Text(a.value() + b.value(), place)
          : null;
    }
    if (left instanceof Expression.Int a && right instanceof Expression.Int b) {
      Long result =
          switch (operator) {
            case "+" -> a.value() + b.value();
            case "-" -> a.value() - b.value();
            default -> null;
          };
      return result == null || result < 0 ? null : new Expression.Int(result, place);
    }
    if (left instanceof Expression.Decimal a && right instanceof Expression.Decimal b) {
      Double result =
          switch (operator) {
            case "+" -> a.value() + b.value();
            case "-" -> a.value() - b.value();
            case "*" -> a.value() * b.value();
            case "/" -> a.value() / b.value();
            default -> null;
          };
      return result == null || !Double.isFinite(result) || Double.doubleToRawLongBits(result) < 0
          ? null
          : new Expression.Decimal(result, place);
    }
    return null;
  }

  /** A text of which all holes are texts; null where it is too long. */
  static @Nullable Expression join(List<Expression.Part> parts, Place place) {
    StringBuilder text = new StringBuilder();
    for (Expression.Part part : parts) {
      if (part instanceof Expression.Part.Chunk chunk) {
        text.append(chunk.value());
      } else if (part instanceof Expression.Part.Hole hole
          && hole.value() instanceof Expression.Text value) {
        text.append(value.value());
      } else {
        return null;
      }
      if (text.length() > MAX_TEXT) {
        return null;
      }
    }
    return new Expression.Text(text.toString(), place);
  }

  static boolean negative(@Nullable Expression value) {
    return value instanceof Expression.Unary unary && unary.operator().equals("-");
  }

  /** The length of a duration of fixed units, its sign with it; null for months and overflow. */
  static @Nullable Long nanos(@Nullable Expression value) {
    if (value instanceof Expression.Unary unary && unary.operator().equals("-")) {
      Long positive = nanos(unary.operand());
      return positive == null ? null : -positive;
    }
    if (!(value instanceof Expression.Span span)) {
      return null;
    }
    long nanos = 0;
    try {
      for (Expression.Amount amount : span.amounts()) {
        Long unit = NANOS.get(amount.unit());
        if (unit == null) {
          return null;
        }
        nanos = Math.addExact(nanos, Math.multiplyExact(unit, amount.magnitude()));
      }
    } catch (ArithmeticException e) {
      return null;
    }
    return nanos;
  }

  /** As few amounts as its length needs. */
  static Expression.Span span(long nanos, Place place) {
    List<Expression.Amount> amounts = new ArrayList<>();
    long rest = nanos;
    for (String unit : new String[] {"d", "h", "m", "s", "ms", "us", "ns"}) {
      long size = NANOS.getOrDefault(unit, 1L);
      if (rest >= size) {
        amounts.add(new Expression.Amount(rest / size, unit));
        rest %= size;
      }
    }
    if (amounts.isEmpty()) {
      amounts.add(new Expression.Amount(0, "s"));
    }
    return new Expression.Span(amounts, place);
  }
}
