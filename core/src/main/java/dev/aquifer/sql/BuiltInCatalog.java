package dev.aquifer.sql;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What PostgreSQL itself ships, read once from {@code builtin.txt} and {@code curated.txt} beside
 * this class.
 */
final class BuiltInCatalog implements FunctionCatalog {
  static final BuiltInCatalog INSTANCE = new BuiltInCatalog();

  private static final String SYSTEM = "pg_catalog";

  private final Map<String, Effect> functions = new HashMap<>();
  private final Set<String> operators = new HashSet<>();
  private final Set<String> relations = new HashSet<>();

  private BuiltInCatalog() {
    try (InputStream in =
            Objects.requireNonNull(
                BuiltInCatalog.class.getResourceAsStream("builtin.txt"), "builtin.txt");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      read(lines);
    } catch (IOException e) {
      throw new UncheckedIOException("builtin.txt of aquifer-core cannot be read", e);
    }
    CuratedFunctions.builtIn().forEach(name -> functions.put(name, Effect.HARMLESS));
  }

  private void read(BufferedReader lines) throws IOException {
    String section = "";
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("[")) {
        section = line;
      } else if (!line.startsWith("# ")) {
        for (String word : line.split(" ", -1)) {
          add(section, word);
        }
      }
    }
  }

  private void add(String section, String word) {
    if (word.isEmpty()) {
      return;
    }
    switch (section) {
      case "[harmless]" -> functions.put(word, Effect.HARMLESS);
      case "[primary]" -> functions.put(word, Effect.PRIMARY);
      case "[session]" -> functions.put(word, Effect.SESSION);
      case "[anything]" -> functions.put(word, Effect.UNKNOWN);
      case "[operators]" -> operators.add(word);
      case "[relations]" -> relations.add(word);
      default -> throw new IllegalStateException("builtin.txt: " + word + " is in no section");
    }
  }

  @Override
  public Effect function(@Nullable String schema, String name) {
    String key = schema == null || schema.equals(SYSTEM) ? name : schema + "." + name;
    return functions.getOrDefault(key, Effect.UNKNOWN);
  }

  @Override
  public Effect relation(TableName relation) {
    String schema = relation.schema();
    boolean temporary =
        schema != null && (schema.equals("pg_temp") || schema.startsWith("pg_temp_"));
    boolean system =
        (schema == null || schema.equals(SYSTEM)) && relations.contains(relation.name());
    return temporary || system ? Effect.PRIMARY : Effect.HARMLESS;
  }

  @Override
  public boolean isPlainOperator(String symbol) {
    return operators.contains(symbol);
  }

  @Override
  public Effect attribute(String name) {
    return functions.getOrDefault(name, Effect.HARMLESS);
  }
}
