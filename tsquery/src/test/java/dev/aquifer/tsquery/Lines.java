package dev.aquifer.tsquery;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Points as InfluxDB's line protocol, and texts as regular expressions. */
final class Lines {
  private static final Pattern SIGNS = Pattern.compile("[\\\\.+*?()|\\[\\]{}^$]");

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

  /** The text as a regular expression, its signs escaped, as every server reads it. */
  static String regex(String value) {
    return SIGNS.matcher(value).replaceAll("\\\\$0");
  }
}
