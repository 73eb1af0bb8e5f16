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
   * Whose rows a statement brings.
   *
   * @param selections those that it is of
   * @param totals joins its series; null when it has one in each group
   */
  record Target(
      TimeSeriesQuery query,
      RowSink sink,
      List<Integer> selections,
      @Nullable SeriesTotals totals) {

    /** Those of the statements that a request is rendered to. */
    static List<Target> of(FetchRequest request, InfluxQlPlan plan, RowSink sink) {
      TimeSeriesQuery query = request.query();
      List<Target> all = new ArrayList<>();
      for (int i = 0; i < request.stretches().size(); i++) {
        if (!plan.grouped().isEmpty()) {
          all.add(new Target(query, sink, plan.grouped(), null));
        }
        if (!plan.apart().isEmpty()) {
          SeriesTotals totals = new SeriesTotals(query, plan.apart(), sink);
          all.add(new Target(query, sink, plan.apart(), totals));
        }
      }
      return all;
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
    if (!partial && target.totals != null) {
      target.totals.end();
    }
    answered.set(statement, !partial);
  }

  /** One series, or a part of it; whether more of it follows. */
  private boolean series(JsonParser json) {
    Map<String, String> tags = Map.of();
    List<SeriesTotals.Column> columns = List.of();
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

  /** What each column but the first holds, which is the time. */
  private List<SeriesTotals.Column> columns(JsonParser json) {
    Map<String, SeriesTotals.Column> known = new HashMap<>();
    for (int i : target.selections) {
      if (target.totals == null) {
        known.put(InfluxQlDialect.column(i), new SeriesTotals.Column(i, SeriesTotals.Part.SUM));
      } else {
        for (SeriesTotals.Part part :
            InfluxQlDialect.parts(target.query.selections().get(i).aggregate())) {
          known.put(InfluxQlDialect.column(i, part), new SeriesTotals.Column(i, part));
        }
      }
    }
    List<SeriesTotals.Column> columns = new ArrayList<>();
    for (int i = 0; json.nextToken() == JsonToken.VALUE_STRING; i++) {
      SeriesTotals.Column column = known.remove(json.getString());
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

  private void values(JsonParser json, List<String> group, List<SeriesTotals.Column> columns) {
    if (columns.isEmpty()) {
      throw unexpected("rows before it says of which columns");
    }
    SeriesTotals totals = target.totals;
    expect(json, JsonToken.START_ARRAY);
    while (json.nextToken() == JsonToken.START_ARRAY) {
      json.nextToken();
      long start = json.getLongValue();
      if (totals == null) {
        target.sink.row(group, start);
      }
      for (SeriesTotals.Column column : columns) {
        value(json, json.nextToken(), column);
      }
      json.nextToken();
      expect(json, JsonToken.END_ARRAY);
      if (totals != null) {
        totals.row(group, start);
      }
    }
  }

  private void value(JsonParser json, @Nullable JsonToken token, SeriesTotals.Column column) {
    if (token == null) {
      throw new StreamReadException(null, "the answer broke off");
    }
    switch (token) {
      case VALUE_NUMBER_INT -> integer(json, column);
      case VALUE_NUMBER_FLOAT -> real(json, column);
      case VALUE_STRING -> grouped(json).textValue(column.selection(), json.getString());
      case VALUE_TRUE, VALUE_FALSE ->
          grouped(json).booleanValue(column.selection(), json.getBooleanValue());
      case VALUE_NULL -> {}
      default -> throw unexpected("a value that is " + token);
    }
  }

  /** Where values go that are no numbers, of which there are no totals. */
  private RowSink grouped(JsonParser json) {
    if (target.totals != null) {
      throw unexpected("a value that is " + json.currentToken());
    }
    return target.sink;
  }

  private void real(JsonParser json, SeriesTotals.Column column) {
    if (target.totals == null) {
      target.sink.doubleValue(column.selection(), json.getDoubleValue());
    } else {
      target.totals.real(column, json.getDoubleValue());
    }
  }

  /**
   * JSON does not tell a float that is whole from an integer; a mean, for one, is always a float.
   */
  private void integer(JsonParser json, SeriesTotals.Column column) {
    Selection selection = target.query.selections().get(column.selection());
    if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
      real(json, column);
    } else if (target.totals != null) {
      target.totals.whole(column, json.getLongValue());
    } else if (selection.aggregate().floating()) {
      real(json, column);
    } else {
      target.sink.longValue(column.selection(), json.getLongValue());
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
