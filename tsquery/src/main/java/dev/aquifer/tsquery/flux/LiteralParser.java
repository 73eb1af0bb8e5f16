package dev.aquifer.tsquery.flux;

import dev.aquifer.tsquery.flux.Expression.Part;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/** Reads values that are written out. */
final class LiteralParser {
  private final Cursor cursor;
  private final ExpressionParser expressions;

  LiteralParser(Cursor cursor, ExpressionParser expressions) {
    this.cursor = cursor;
    this.expressions = expressions;
  }

  Expression literal() {
    Token token = cursor.peek();
    return switch (token.kind()) {
      case INT -> integer(cursor.take());
      case FLOAT -> decimal(cursor.take());
      case SPAN -> span(cursor.take());
      case MOMENT -> moment(cursor.take());
      case TEXT -> new Expression.Text(cursor.take().text(), token.place());
      case QUOTE -> interpolated();
      default -> {
        if (token.is("/")) {
          yield new Expression.Regex(cursor.takeRegex().text(), token.place());
        }
        throw cursor.expected("an expression");
      }
    };
  }

  private static Expression integer(Token token) {
    return new Expression.Int(whole(token.text(), token), token.place());
  }

  private static long whole(String digits, Token token) {
    if (digits.length() > 1 && digits.charAt(0) == '0') {
      throw new RefusedScriptException(
          "the number " + token.shown() + " begins with 0", token.place());
    }
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw new RefusedScriptException(
          "the number " + token.shown() + " is above 9223372036854775807", token.place());
    }
  }

  private static Expression decimal(Token token) {
    double value = Double.parseDouble(token.text());
    if (Double.isInfinite(value)) {
      throw new RefusedScriptException(
          "the number " + token.shown() + " is too large for a float", token.place());
    }
    return new Expression.Decimal(value, token.place());
  }

  private static Expression span(Token token) {
    String text = token.text();
    List<Expression.Amount> amounts = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      int start = at;
      while (Character.isDigit(text.charAt(at))) {
        at++;
      }
      long magnitude = whole(text.substring(start, at), token);
      start = at;
      while (at < text.length() && !Character.isDigit(text.charAt(at))) {
        at++;
      }
      String unit = text.substring(start, at);
      amounts.add(new Expression.Amount(magnitude, unit.equals("\u00b5s") ? "us" : unit));
    }
    return new Expression.Span(amounts, token.place());
  }

  private static Expression moment(Token token) {
    String text = token.text();
    try {
      OffsetDateTime value =
          text.length() == 10
              ? LocalDate.parse(text).atStartOfDay().atOffset(ZoneOffset.UTC)
              : OffsetDateTime.parse(text);
      return new Expression.Moment(value, token.place());
    } catch (DateTimeException e) {
      throw new RefusedScriptException(
          token.shown() + " is not a time; write it like 2026-03-01T00:00:00Z", token.place());
    }
  }

  private Expression interpolated() {
    Place place = cursor.take().place();
    List<Part> parts = new ArrayList<>();
    while (true) {
      StringBuilder chunk = new StringBuilder();
      boolean hole = cursor.takePart(chunk, place);
      if (chunk.length() > 0) {
        parts.add(new Part.Chunk(chunk.toString()));
      }
      if (!hole) {
        return new Expression.Interpolated(parts, place);
      }
      parts.add(new Part.Hole(expressions.expression()));
      cursor.expect("}");
    }
  }
}
