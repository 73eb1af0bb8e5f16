package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads an answer in chunks of JSON, row by row, never holding more than a row. Counts as answered
 * only when every statement's last chunk came: an answer that ends early is an error, not a short
 * answer.
 */
final class InfluxQlAnswer {
  private static final JsonFactory JSON = new JsonFactory();

  /** The server's own word on why it does not answer. */
  static final class ServerError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ServerError(@Nullable String message) {
      super(message);
    }

    String reason() {
      String message = getMessage();
      return message == null ? "no reason was given" : message;
    }
  }

  /**
   * A column of an answer.
   *
   * @param number by which it is known to whoever takes the rows
   * @param floating whether its values are, also those that look whole
   */
  record Column(String name, int number, boolean floating) {}

  /**
   * Who takes the rows of a statement.
   *
   * @param columns all but the time
   * @param end is run after the last row
   */
  record Target(TimeSeriesQuery query, List<Column> columns, RowSink rows, Runnable end) {
    /** Those of the statements that a request is rendered to. */
    static List<Target> of(FetchRequest request, InfluxQlPlan plan, RowSink sink) {
      List<Target> all = new ArrayList<>();
      for (int i = 0; i < request.stretches().size(); i++) {
        if (!plan.grouped().isEmpty()) {
          all.add(grouped(request.query(), plan, sink));
        }
        if (!plan.apart().isEmpty()) {
          all.add(apart(request.query(), plan, sink));
        }
      }
      return all;
    }

    private static Target grouped(TimeSeriesQuery query, InfluxQlPlan plan, RowSink sink) {
      List<Column> columns = new ArrayList<>();
      for (int i : plan.grouped()) {
        boolean floating = query.selections().get(i).aggregate().floating();
        columns.add(new Column(InfluxQlDialect.column(i), i, floating));
      }
      return new Target(query, columns, sink, () -> {});
    }

    private static Target apart(TimeSeriesQuery query, InfluxQlPlan plan, RowSink sink) {
      SeriesTotals totals = new SeriesTotals(query, plan.apart(), sink);
      List<Column> columns = new ArrayList<>();
      for (int i = 0; i < totals.columns().size(); i++) {
        columns.add(new Column(InfluxQlDialect.column(totals.columns().get(i)), i, false));
      }
      return new Target(query, columns, totals, totals::end);
    }
  }

  private final List<Target> targets;
  private final BitSet answered = new BitSet();
  private Target target;

  /** An answer to as many statements as there are targets. */
  InfluxQlAnswer(List<Target> targets) {
    this.targets = List.copyOf(targets);
    this.target = targets.get(0);
  }

  /** Whether the last chunk of these statements came. */
  boolean answered(int from, int to) {
    return answered.nextClearBit(from) >= to;
  }

  /**
   * Reads to the end.
   *
   * @throws ServerError a statement failed
   * @throws tools.jackson.core.JacksonException it is no JSON, or broke off
   */
  void read(InputStream body) {
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), body)) {
      while (json.nextToken() != null) {
        expect(json, JsonToken.START_OBJECT);
        document(json);
      }
    }
    if (answered.cardinality() < targets.size()) {
      throw new StreamReadException(
          null,
          "%d of %d statements were answered".formatted(answered.cardinality(), targets.size()));
    }
  }

  private void document(JsonParser json) {
    for (String name = json.nextName(); name != null; name = json.nextName()) {
      JsonToken token = json.nextToken();
      if (name.equals("error")) {
        throw new ServerError(json.getString());
      }
      if (name.equals("results") && token == JsonToken.START_ARRAY) {
        while (json.nextToken() == JsonToken.START_OBJECT) {
          result(json);
        }
      } else {
        json.skipChildren();
      }
    }
  }

  private void result(JsonParser json) {
    int statement = 0;
    boolean named = false;
    boolean partial = false;
    for (String name = json.nextName(); name != null; name = json.nextName()) {
      JsonToken token = json.nextToken();
      switch (name) {
        case "statement_id" -> {
          statement = (int) json.getLongValue();
          named = true;
          if (statement < 0 || statement >= targets.size()) {
            throw unexpected("a statement that was not sent");
          }
          target = targets.get(statement);
        }
        case "error" -> throw new ServerError(json.getString());
        case "partial" -> partial |= token == JsonToken.VALUE_TRUE;
        case "series" -> {
          expect(json, JsonToken.START_ARRAY);
          if (!named && targets.size() > 1) {
            throw unexpected("rows before it says of which statement");
          }
          while (json.nextToken() == JsonToken.START_OBJECT) {
            partial |= series(json);
          }
        }
        default -> json.skipChildren();
      }
    }
    if (!partial) {
      target.end.run();
    }
    answered.set(statement, !partial);
  }

  /** One series, or a part of it; whether more of it follows. */
  private boolean series(JsonParser json) {
    Map<String, String> tags = Map.of();
    List<Column> columns = List.of();
    boolean partial = false;
    for (String name = json.nextName(); name != null; name = json.nextName()) {
      JsonToken token = json.nextToken();
      switch (name) {
        case "tags" -> tags = tags(json);
        case "columns" -> columns = columns(json);
        case "values" -> values(json, group(tags), columns);
        case "partial" -> partial = token == JsonToken.VALUE_TRUE;
        default -> json.skipChildren();
      }
    }
    return partial;
  }

  private static Map<String, String> tags(JsonParser json) {
    Map<String, String> tags = new HashMap<>();
    for (String name = json.nextName(); name != null; name = json.nextName()) {
      json.nextToken();
      tags.put(name, json.getString());
    }
    return tags;
  }

  private List<String> group(Map<String, String> tags) {
    List<String> group = new ArrayList<>(target.query.groupBy().size());
    for (String tag : target.query.groupBy()) {
      group.add(tags.getOrDefault(tag, ""));
    }
    return group;
  }

  /** The columns in their order, but the first, which is the time. */
  private List<Column> columns(JsonParser json) {
    Map<String, Column> known = new HashMap<>();
    target.columns.forEach(column -> known.put(column.name, column));
    List<Column> columns = new ArrayList<>();
    for (int i = 0; json.nextToken() == JsonToken.VALUE_STRING; i++) {
      Column column = known.remove(json.getString());
      if (column != null) {
        columns.add(column);
      } else if (i > 0) {
        throw unexpected("columns that were not selected");
      }
    }
    if (!known.isEmpty()) {
      throw unexpected("not all columns that were selected");
    }
    return columns;
  }

  private void values(JsonParser json, List<String> group, List<Column> columns) {
    if (columns.isEmpty()) {
      throw unexpected("rows before it says of which columns");
    }
    expect(json, JsonToken.START_ARRAY);
    while (json.nextToken() == JsonToken.START_ARRAY) {
      json.nextToken();
      target.rows.row(group, json.getLongValue());
      for (Column column : columns) {
        value(json, json.nextToken(), column);
      }
      json.nextToken();
      expect(json, JsonToken.END_ARRAY);
    }
  }

  private void value(JsonParser json, @Nullable JsonToken token, Column column) {
    if (token == null) {
      throw new StreamReadException(null, "the answer broke off");
    }
    RowSink rows = target.rows;
    switch (token) {
      case VALUE_NUMBER_INT -> integer(json, column);
      case VALUE_NUMBER_FLOAT -> rows.doubleValue(column.number, json.getDoubleValue());
      case VALUE_STRING -> rows.textValue(column.number, json.getString());
      case VALUE_TRUE, VALUE_FALSE -> rows.booleanValue(column.number, json.getBooleanValue());
      case VALUE_NULL -> {}
      default -> throw unexpected("a value that is " + token);
    }
  }

  /**
   * JSON does not tell a float that is whole from an integer; a mean, for one, is always a float.
   */
  private void integer(JsonParser json, Column column) {
    if (column.floating || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
      target.rows.doubleValue(column.number, json.getDoubleValue());
    } else {
      target.rows.longValue(column.number, json.getLongValue());
    }
  }

  private static void expect(JsonParser json, JsonToken token) {
    if (json.currentToken() == null) {
      throw new StreamReadException(null, "the answer broke off");
    }
    if (json.currentToken() != token) {
      throw unexpected(json.currentToken() + " instead of " + token);
    }
  }

  private static AquiferException unexpected(String what) {
    return new AquiferException(
        "The server's answer is no InfluxQL answer: it has " + what + "; is the URL InfluxDB's?");
  }
}
