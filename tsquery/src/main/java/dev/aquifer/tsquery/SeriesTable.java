package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a table of points is read as a measurement: which column is the time, which the tenant, and
 * which are tags and fields. Immutable.
 *
 * <p>Names of tables and columns are the database's own, exactly as stored (unquoted SQL names are
 * stored in lower case), and always quoted. The tenant and the tags are columns of text; the time
 * is {@code timestamptz}, or {@code timestamp} that means UTC.
 *
 * @param measurement the name that queries use
 * @param schema the table's schema; null: found by the search path
 * @param table the table or view
 * @param time the time column
 * @param timeHasZone whether it is a {@code timestamptz}
 * @param tenant the tenant column
 * @param tags tag names and their columns
 * @param fields field names and their columns
 */
public record SeriesTable(
    String measurement,
    @Nullable String schema,
    String table,
    String time,
    boolean timeHasZone,
    String tenant,
    Map<String, String> tags,
    Map<String, FieldColumn> fields) {
  private static final int MAX_IDENTIFIER = 63;

  /**
   * A field's column.
   *
   * @param column the column
   * @param kind what its values are read as; {@link ValueKind#LONG} for whole numbers, {@link
   *     ValueKind#DOUBLE} for all others
   */
  public record FieldColumn(String column, ValueKind kind) {}

  /**
   * Copies the maps and checks the names.
   *
   * @throws ConfigurationException when a name is empty, longer than 63 bytes or has control
   *     characters, when there is no field, or when a tag or field is the tenant's column
   */
  public SeriesTable {
    Names.require("measurement", measurement);
    if (schema != null) {
      requireIdentifier("schema", schema);
    }
    requireIdentifier("table", table);
    requireIdentifier("time column", time);
    requireIdentifier("tenant column", tenant);
    tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    if (fields.isEmpty()) {
      throw new ConfigurationException("Table %s has no field; add field(…).".formatted(table));
    }
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      Names.require("tag", tag.getKey());
      requireColumn(table, tenant, "tag", tag.getKey(), tag.getValue());
    }
    for (Map.Entry<String, FieldColumn> field : fields.entrySet()) {
      Names.require("field", field.getKey());
      requireColumn(table, tenant, "field", field.getKey(), field.getValue().column());
    }
  }

  /** A mapping of this measurement, from the table of the same name. */
  public static Builder builder(String measurement) {
    return new Builder(measurement);
  }

  private static void requireColumn(
      String table, String tenant, String what, String name, String column) {
    requireIdentifier(what + " column", column);
    if (column.equals(tenant)) {
      throw new ConfigurationException(
          "The %s %s of table %s is the tenant's column %s; queries never name the tenant."
              .formatted(what, name, table, tenant));
    }
  }

  private static void requireIdentifier(String what, String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > MAX_IDENTIFIER || name.chars().anyMatch(Character::isISOControl)) {
      throw new ConfigurationException(
          "'%s' cannot be a %s: use 1 to %d bytes without control characters."
              .formatted(Names.printable(name), what, MAX_IDENTIFIER));
    }
  }

  /** Builds a {@link SeriesTable}. Not thread-safe. */
  public static final class Builder {
    private final String measurement;
    private @Nullable String schema;
    private String table;
    private String time = "time";
    private boolean timeHasZone = true;
    private String tenant = "tenant";
    private final Map<String, String> tags = new LinkedHashMap<>();
    private final Map<String, FieldColumn> fields = new LinkedHashMap<>();

    private Builder(String measurement) {
      this.measurement = measurement;
      this.table = measurement;
    }

    /** The table, found by the search path. Default: named as the measurement. */
    public Builder table(String name) {
      table = name;
      return this;
    }

    /** The table, in this schema. */
    public Builder table(String inSchema, String name) {
      schema = inSchema;
      table = name;
      return this;
    }

    /** The time column, a {@code timestamptz}. Default {@code time}. */
    public Builder time(String column) {
      time = column;
      timeHasZone = true;
      return this;
    }

    /** The time column, a {@code timestamp} without zone that holds UTC. */
    public Builder utcTime(String column) {
      time = column;
      timeHasZone = false;
      return this;
    }

    /** The tenant column. Default {@code tenant}. */
    public Builder tenant(String column) {
      tenant = column;
      return this;
    }

    /** A tag in the column of the same name. */
    public Builder tag(String name) {
      return tag(name, name);
    }

    /** A tag in this column. */
    public Builder tag(String name, String column) {
      tags.put(name, column);
      return this;
    }

    /** A field in the column of the same name. */
    public Builder field(String name, ValueKind kind) {
      return field(name, name, kind);
    }

    /** A field in this column. */
    public Builder field(String name, String column, ValueKind kind) {
      fields.put(name, new FieldColumn(column, kind));
      return this;
    }

    /**
     * The mapping.
     *
     * @throws ConfigurationException when its names contradict each other
     */
    public SeriesTable build() {
      return new SeriesTable(measurement, schema, table, time, timeHasZone, tenant, tags, fields);
    }
  }
}
