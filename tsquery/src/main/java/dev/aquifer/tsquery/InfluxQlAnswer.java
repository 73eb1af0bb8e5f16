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

  /** Whose rows a statement brings. */
  record Target(TimeSeriesQuery query, RowSink sink) {}

  private final List<Target> targets;
  private final BitSet answered = new BitSet();
  private TimeSeriesQuery query;
  private RowSink sink;

  /** An answer to as many statements as there are targets. */
  InfluxQlAnswer(List<Target> targets) {
    this.targets = List.copyOf(targets);
    this.query = targets.get(0).query();
    this.sink = targets.get(0).sink();
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
          query = targets.get(statement).query();
          sink = targets.get(statement).sink();
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
    answered.set(statement, !partial);
  }

  /** One series, or a part of it; whether more of it follows. */
  private boolean series(JsonParser json) {
    Map<String, String> tags = Map.of();
    int[] selections = {};
    boolean partial = false;
    for (String name = json.nextName(); name != null; name = json.nextName()) {
      JsonToken token = json.nextToken();
      switch (name) {
        case "tags" -> tags = tags(json);
        case "columns" -> selections = columns(json);
        case "values" -> values(json, group(tags), selections);
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
    List<String> group = new ArrayList<>(query.groupBy().size());
    for (String tag : query.groupBy()) {
      group.add(tags.getOrDefault(tag, ""));
    }
    return group;
  }

  /** The selection that each column is of; -1 for the time, which comes first. */
  private int[] columns(JsonParser json) {
    Map<String, Integer> known = new HashMap<>();
    for (int i = 0; i < query.selections().size(); i++) {
      known.put(InfluxQlDialect.column(i), i);
    }
    List<Integer> columns = new ArrayList<>();
    while (json.nextToken() == JsonToken.VALUE_STRING) {
      columns.add(known.getOrDefault(json.getString(), -1));
    }
    return columns.stream().mapToInt(i -> i).toArray();
  }

  private void values(JsonParser json, List<String> group, int[] selections) {
    if (selections.length != query.selections().size() + 1 || selections[0] != -1) {
      throw unexpected("columns that were not selected");
    }
    expect(json, JsonToken.START_ARRAY);
    while (json.nextToken() == JsonToken.START_ARRAY) {
      json.nextToken();
      sink.row(group, json.getLongValue());
      for (int i = 1; i < selections.length; i++) {
        value(json, json.nextToken(), selections[i]);
      }
      json.nextToken();
      expect(json, JsonToken.END_ARRAY);
    }
  }

  private void value(JsonParser json, @Nullable JsonToken token, int selection) {
    if (token == null) {
      throw new StreamReadException(null, "the answer broke off");
    }
    switch (token) {
      case VALUE_NUMBER_INT -> integer(json, selection);
      case VALUE_NUMBER_FLOAT -> sink.doubleValue(selection, json.getDoubleValue());
      case VALUE_STRING -> sink.textValue(selection, json.getString());
      case VALUE_TRUE, VALUE_FALSE -> sink.booleanValue(selection, json.getBooleanValue());
      case VALUE_NULL -> {}
      default -> throw unexpected("a value that is " + token);
    }
  }

  /**
   * JSON does not tell a float that is whole from an integer; a mean, for one, is always a float.
   */
  private void integer(JsonParser json, int selection) {
    boolean floating = query.selections().get(selection).aggregate().floating();
    if (floating || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
      sink.doubleValue(selection, json.getDoubleValue());
    } else {
      sink.longValue(selection, json.getLongValue());
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
