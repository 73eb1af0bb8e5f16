package dev.aquifer.sql;

import org.jspecify.annotations.Nullable;

/**
 * The name of a table or view as PostgreSQL resolves it: unquoted names in lower case, quoted ones
 * as written, both cut to 63 bytes. A name without a schema and one with the schema that the search
 * path would have found are different values here; who needs them equal must compare {@link
 * #name()} alone.
 *
 * @param schema the schema, or null when the statement names none
 * @param name the table's own name, not empty
 */
public record TableName(@Nullable String schema, String name) implements Comparable<TableName> {

  /** Refuses an empty name. */
  public TableName {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("A table's name is empty: give at least one character");
    }
  }

  /**
   * The table of that name, wherever the search path finds it. The name is taken as it is, without
   * folding.
   */
  public static TableName of(String name) {
    return new TableName(null, name);
  }

  /** The table of that name in that schema. Both are taken as they are, without folding. */
  public static TableName of(String schema, String name) {
    return new TableName(schema, name);
  }

  @Override
  public int compareTo(TableName other) {
    return toString().compareTo(other.toString());
  }

  /** {@code schema.name} or {@code name}, without quotes. */
  @Override
  public String toString() {
    return schema == null ? name : schema + "." + name;
  }
}
