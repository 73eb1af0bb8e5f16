package dev.aquifer.tsquery.flux;

import dev.aquifer.ConfigurationException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** A value as a node of a tree, and such a tree as the JSON in which InfluxDB takes it. */
final class BoundValue {
  private static final JsonFactory JSON = new JsonFactory();

  private BoundValue() {}

  static Expression of(String name, Object value) {
    Place none = Place.NONE;
    if (value instanceof String text) {
      FluxLiteral.requireUnicode(text);
      return new Expression.Text(text, none);
    } else if (value instanceof Boolean truth) {
      return new Expression.Name(truth.toString(), none);
    } else if (value instanceof Long || value instanceof Integer) {
      long number = ((Number) value).longValue();
      FluxLiteral.integer(number);
      return signed(number < 0, new Expression.Int(Math.abs(number), none));
    } else if (value instanceof Double number) {
      FluxLiteral.decimal(number);
      return signed(
          Double.doubleToRawLongBits(number) < 0, new Expression.Decimal(Math.abs(number), none));
    } else if (value instanceof Instant instant) {
      FluxLiteral.time(instant);
      return new Expression.Moment(instant.atOffset(ZoneOffset.UTC), none);
    } else if (value instanceof Duration duration) {
      FluxLiteral.duration(duration);
      long nanos = Math.abs(duration.toNanos());
      return signed(
          duration.isNegative(),
          new Expression.Span(List.of(new Expression.Amount(nanos, "ns")), none));
    } else if (value instanceof List<?> list) {
      List<Expression> elements = list.stream().map(each -> of(name, each)).toList();
      return new Expression.Array(elements, none);
    }
    throw new ConfigurationException(
        "The value bound to '%s' is a %s; bind a String, Long, Integer, Double, Boolean, Instant, Duration or a List of those."
            .formatted(name, value.getClass().getName()));
  }

  private static Expression signed(boolean negative, Expression value) {
    return negative ? new Expression.Unary("-", value, Place.NONE) : value;
  }

  /** A file of one statement, {@code option params = {…}}. */
  static String extern(Expression.Fields values) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
      start(json, "File");
      json.writeNullProperty("package");
      json.writeNullProperty("imports");
      json.writeArrayPropertyStart("body");
      start(json, "OptionStatement");
      json.writeName("assignment");
      start(json, "VariableAssignment");
      json.writeName("id");
      identifier(json, "params");
      json.writeName("init");
      write(json, values);
      json.writeEndObject();
      json.writeEndObject();
      json.writeEndArray();
      json.writeEndObject();
    }
    return out.toString();
  }

  private static void write(JsonGenerator json, Expression value) {
    if (value instanceof Expression.Fields record) {
      start(json, "ObjectExpression");
      json.writeArrayPropertyStart("properties");
      for (Expression.Property property : record.properties()) {
        start(json, "Property");
        json.writeName("key");
        identifier(json, property.key());
        if (property.value() != null) {
          json.writeName("value");
          write(json, property.value());
        }
        json.writeEndObject();
      }
      json.writeEndArray();
    } else if (value instanceof Expression.Array array) {
      start(json, "ArrayExpression");
      json.writeArrayPropertyStart("elements");
      array.elements().forEach(element -> write(json, element));
      json.writeEndArray();
    } else if (value instanceof Expression.Unary unary) {
      start(json, "UnaryExpression");
      json.writeStringProperty("operator", unary.operator());
      json.writeName("argument");
      write(json, unary.operand());
    } else if (value instanceof Expression.Name name) {
      start(json, "Identifier");
      json.writeStringProperty("name", name.name());
    } else if (value instanceof Expression.Text text) {
      start(json, "StringLiteral");
      json.writeStringProperty("value", text.value());
    } else if (value instanceof Expression.Int number) {
      start(json, "IntegerLiteral");
      json.writeStringProperty("value", Long.toString(number.value()));
    } else if (value instanceof Expression.Decimal number) {
      start(json, "FloatLiteral");
      json.writeName("value");
      json.writeNumber(number.value());
    } else if (value instanceof Expression.Moment moment) {
      start(json, "DateTimeLiteral");
      json.writeStringProperty("value", FluxLiteral.time(moment.value()));
    } else if (value instanceof Expression.Span span) {
      start(json, "DurationLiteral");
      json.writeArrayPropertyStart("values");
      for (Expression.Amount amount : span.amounts()) {
        json.writeStartObject();
        json.writeNumberProperty("magnitude", amount.magnitude());
        json.writeStringProperty("unit", amount.unit());
        json.writeEndObject();
      }
      json.writeEndArray();
    } else {
      throw new IllegalStateException("not a value: " + value.getClass());
    }
    json.writeEndObject();
  }

  private static void identifier(JsonGenerator json, String name) {
    start(json, "Identifier");
    json.writeStringProperty("name", name);
    json.writeEndObject();
  }

  private static void start(JsonGenerator json, String type) {
    json.writeStartObject();
    json.writeStringProperty("type", type);
  }
}
