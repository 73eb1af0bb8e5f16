package dev.aquifer.tsquery.flux;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/** The points that the recorded answers are about, read from line protocol. */
final class ReferencePoints {
  /** One field of a line; its tags with {@code _measurement} and {@code _field}. */
  record Value(Map<String, String> key, long time, Object value, boolean unsigned) {}

  private final String text;
  private int at;

  private ReferencePoints(String text) {
    this.text = text;
  }

  /** All of a bucket. */
  static List<Value> of(String bucket) {
    String file = "/flux/" + bucket + ".lp.gz";
    try (InputStream in = ReferencePoints.class.getResourceAsStream(file);
        GZIPInputStream zip = new GZIPInputStream(in)) {
      return new ReferencePoints(new String(zip.readAllBytes(), StandardCharsets.UTF_8)).lines();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Value> lines() {
    List<Value> all = new ArrayList<>();
    while (at < text.length()) {
      Map<String, String> key = new TreeMap<>();
      key.put("_measurement", until(", "));
      while (text.charAt(at) == ',') {
        at++;
        String tag = until("=");
        at++;
        key.put(tag, until(", "));
      }
      List<Value> fields = new ArrayList<>();
      do {
        at++;
        String field = until("=");
        at++;
        Map<String, String> whole = new TreeMap<>(key);
        whole.put("_field", field);
        fields.add(value(whole));
      } while (text.charAt(at) == ',');
      at++;
      long time = Long.parseLong(until("\n"));
      at++;
      fields.forEach(field -> all.add(new Value(field.key, time, field.value, field.unsigned)));
    }
    return all;
  }

  private String until(String ends) {
    int start = at;
    while (ends.indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(start, at);
  }

  private Value value(Map<String, String> key) {
    if (text.charAt(at) == '"') {
      StringBuilder value = new StringBuilder();
      for (at++; text.charAt(at) != '"'; at++) {
        if (text.charAt(at) == '\\') {
          at++;
        }
        value.append(text.charAt(at));
      }
      at++;
      return new Value(key, 0, value.toString(), false);
    }
    String cell = until(", ");
    String digits = cell.substring(0, cell.length() - 1);
    return switch (cell.charAt(cell.length() - 1)) {
      case 'i' -> new Value(key, 0, Long.parseLong(digits), false);
      case 'u' -> new Value(key, 0, Long.parseUnsignedLong(digits), true);
      case 'e', 't', 'T', 'f', 'F' -> new Value(key, 0, cell.matches("t|T|true|True|TRUE"), false);
      default -> new Value(key, 0, Double.parseDouble(cell), false);
    };
  }
}
