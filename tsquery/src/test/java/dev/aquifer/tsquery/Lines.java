package dev.aquifer.tsquery;

import java.util.Map;
import java.util.TreeMap;

/** Points as InfluxDB's line protocol, and texts as regular expressions. */
final class Lines {
  private Lines() {}

  /** The series of a line; an empty ward is no tag. Tag values must not end in a backslash. */
  static String key(String measurement, String tenant, String device, String ward) {
    return key(measurement, tenant, Schedule.tags(device, ward));
  }

  static String key(String measurement, String tenant, Map<String, String> tags) {
    StringBuilder key = new StringBuilder();
    key.append(measurement.replace(" ", "\\ ").replace(",", "\\,"));
    key.append(",tenant=").append(tenant);
    new TreeMap<>(tags)
        .forEach(
            (tag, value) ->
                key.append(',').append(escaped(tag)).append('=').append(escaped(value)));
    return key.toString();
  }

  /** A tag's or a field's name, or a tag's value. */
  static String escaped(String text) {
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ");
  }

  /** The text as a regular expression, its signs escaped. */
  static String regex(String value) {
    StringBuilder regex = new StringBuilder();
    value
        .codePoints()
        .forEach(
            c -> {
              if (c < 128 && !Character.isLetterOrDigit(c)) {
                regex.append('\\');
              }
              regex.appendCodePoint(c);
            });
    return regex.toString();
  }
}
