package dev.aquifer.tsquery.flux;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** What was recorded of a real InfluxDB; {@code flux/README.md} among the test's resources. */
public final class Recorded {
  private static final int NO_SYNTAX = 1;

  private Recorded() {}

  /** A script and the status that the server answered it with. */
  public record Case(String id, String flux, int status) {
    public String group() {
      return id.substring(0, id.indexOf('/'));
    }
  }

  /** A value that was bound: the script that reads it and the request's extern. */
  record Bound(String value, String flux, String extern) {}

  public static List<Case> cases() {
    return objects("cases.json").stream()
        .filter(fields -> fields.containsKey("flux"))
        .map(f -> new Case(f.get("id"), f.get("flux"), Integer.parseInt(f.get("status"))))
        .toList();
  }

  /** The server's own plans, of the cases that have one. */
  static Map<String, List<String>> plans() {
    Map<String, List<String>> plans = new HashMap<>();
    for (Map<String, String> fields : objects("cases.json")) {
      String plan = fields.get("plan");
      if (plan != null && !plan.equals("null")) {
        plans.put(fields.get("id"), texts(plan));
      }
    }
    return plans;
  }

  private static List<String> texts(String array) {
    List<String> texts = new ArrayList<>();
    try (JsonParser json = new JsonFactory().createParser(ObjectReadContext.empty(), array)) {
      while (json.nextToken() != null) {
        if (json.currentToken() == JsonToken.VALUE_STRING) {
          texts.add(json.getString());
        }
      }
    }
    return texts;
  }

  /** All but the one that is no Flux. */
  static List<Case> scripts() {
    List<Case> scripts =
        cases().stream().filter(each -> !each.id().equals("error/syntax")).toList();
    if (scripts.size() != cases().size() - NO_SYNTAX) {
      throw new IllegalStateException("error/syntax is not among the cases");
    }
    return scripts;
  }

  static List<Bound> bound() {
    return objects("extern.json").stream()
        .map(f -> new Bound(f.get("value"), f.get("flux"), f.get("extern")))
        .toList();
  }

  /** The objects of the file's outermost array; what is nested in one is kept as JSON. */
  private static List<Map<String, String>> objects(String file) {
    List<Map<String, String>> objects = new ArrayList<>();
    try (InputStream in = Recorded.class.getResourceAsStream("/flux/" + file);
        JsonParser json = new JsonFactory().createParser(ObjectReadContext.empty(), in)) {
      JsonToken token = json.nextToken();
      while (token != JsonToken.START_ARRAY) {
        token = json.nextToken();
      }
      while (json.nextToken() == JsonToken.START_OBJECT) {
        Map<String, String> fields = new HashMap<>();
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String name = json.currentName();
          json.nextToken();
          fields.put(name, value(json));
        }
        objects.add(fields);
      }
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return objects;
  }

  /** Compact JSON of what begins here; a text as it is. */
  private static String value(JsonParser json) {
    if (json.currentToken() == JsonToken.VALUE_STRING) {
      return json.getString();
    }
    java.io.StringWriter out = new java.io.StringWriter();
    try (var copy =
        new JsonFactory().createGenerator(tools.jackson.core.ObjectWriteContext.empty(), out)) {
      copy.copyCurrentStructure(json);
    }
    return out.toString();
  }
}
