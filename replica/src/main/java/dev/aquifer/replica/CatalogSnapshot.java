package dev.aquifer.replica;

import dev.aquifer.sql.FunctionCatalog;
import dev.aquifer.sql.TableName;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the objects of one database did when its catalogue was read: for each name the worst over
 * all schemas, and for each name within its schema. PostgreSQL's own are answered by the built-in
 * catalogue, made worse by what was found. A name that is in neither may be anything: it was made
 * since. Immutable; equal to another that answers alike.
 *
 * @param functions by {@code name} and {@code schema.name}; the system's only where worse
 * @param relations by {@code name} and {@code schema.name}
 * @param types by {@code name} and {@code schema.name}, those of the system included
 * @param operators by symbol
 * @param attributes names of functions that are not harmless and take one value
 */
record CatalogSnapshot(
    Map<String, Effect> functions,
    Map<String, Effect> relations,
    Map<String, Effect> types,
    Map<String, Effect> operators,
    Map<String, Effect> attributes)
    implements FunctionCatalog {
  private static final FunctionCatalog BUILT_IN = FunctionCatalog.builtIn();

  /** How types are written that are called otherwise in the catalogue. */
  private static final Set<String> TYPE_WORDS =
      Set.of(
          "int",
          "integer",
          "bigint",
          "smallint",
          "real",
          "float",
          "double",
          "dec",
          "decimal",
          "boolean",
          "character",
          "nchar",
          "national",
          "setof");

  static boolean isSystem(@Nullable String schema) {
    return schema != null
        && (schema.equals("pg_catalog")
            || schema.equals("information_schema")
            || schema.equals("pg_toast"));
  }

  static Effect worse(Effect one, Effect other) {
    return one.compareTo(other) >= 0 ? one : other;
  }

  @Override
  public Effect function(@Nullable String schema, String name) {
    Effect found = functions.get(key(schema, name));
    Effect builtIn = BUILT_IN.function(schema, name);
    if (found == null) {
      return builtIn;
    }
    // The unqualified name of a user's function that the built-in catalogue has never heard of.
    boolean known = builtIn != Effect.UNKNOWN || BUILT_IN.attribute(name) != Effect.HARMLESS;
    return known && (schema == null || isSystem(schema)) ? worse(found, builtIn) : found;
  }

  @Override
  public Effect relation(TableName relation) {
    String schema = relation.schema();
    Effect builtIn = BUILT_IN.relation(relation);
    if (builtIn != Effect.HARMLESS) {
      return builtIn;
    }
    return relations.getOrDefault(key(schema, relation.name()), Effect.UNKNOWN);
  }

  @Override
  public boolean isPlainOperator(String symbol) {
    int schema = symbol.lastIndexOf('.');
    String bare = symbol.substring(schema + 1);
    Effect found = operators.get(bare);
    return (found == null || found == Effect.HARMLESS)
        && (found != null || BUILT_IN.isPlainOperator(bare));
  }

  @Override
  public boolean isPlainType(@Nullable String schema, String name) {
    Effect found = types.get(key(schema, name));
    return found == Effect.HARMLESS
        || (found == null && schema == null && TYPE_WORDS.contains(name));
  }

  @Override
  public Effect attribute(String name) {
    return worse(attributes.getOrDefault(name, Effect.HARMLESS), BUILT_IN.attribute(name));
  }

  /** What is right in either state; what only one of them has may be anything. */
  CatalogSnapshot worse(CatalogSnapshot other) {
    return new CatalogSnapshot(
        worse(functions, other.functions),
        worse(relations, other.relations),
        worse(types, other.types),
        worse(operators, other.operators),
        worse(attributes, other.attributes));
  }

  private static Map<String, Effect> worse(Map<String, Effect> one, Map<String, Effect> other) {
    Map<String, Effect> worse = new HashMap<>();
    one.forEach(
        (name, effect) -> worse.put(name, worse(effect, other.getOrDefault(name, Effect.UNKNOWN))));
    other.keySet().forEach(name -> worse.putIfAbsent(name, Effect.UNKNOWN));
    return worse;
  }

  /** Whether it knows an object of that name, of any sort; the system's not included. */
  boolean knows(@Nullable String schema, String name) {
    String key = key(schema, name);
    return functions.containsKey(key) || relations.containsKey(key) || types.containsKey(key);
  }

  static String key(@Nullable String schema, String name) {
    return schema == null ? name : schema + "." + name;
  }
}
