package dev.aquifer.sql;

import dev.aquifer.sql.FunctionCatalog.Effect;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Functions of PostgreSQL and of its extensions that do something else than their volatility tells,
 * read once from {@code curated.txt} beside this class, which gives the reason for each. Immutable,
 * thread-safe.
 */
public final class CuratedFunctions {
  private static final String BUILT_IN = "-";
  private static final Map<String, Map<String, Effect>> BY_EXTENSION = read();

  private CuratedFunctions() {}

  /** The names of PostgreSQL's own, all in {@code pg_catalog}, all volatile and harmless. */
  public static Set<String> builtIn() {
    return BY_EXTENSION.getOrDefault(BUILT_IN, Map.of()).keySet();
  }

  /** What the extension's function of that name does; null where its volatility tells. */
  public static @Nullable Effect effect(@Nullable String extension, String function) {
    return extension == null ? null : BY_EXTENSION.getOrDefault(extension, Map.of()).get(function);
  }

  private static Map<String, Map<String, Effect>> read() {
    Map<String, Map<String, Effect>> functions = new HashMap<>();
    try (InputStream in =
            Objects.requireNonNull(
                CuratedFunctions.class.getResourceAsStream("curated.txt"), "curated.txt");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.isEmpty() && !line.startsWith("#")) {
          add(functions, line);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("curated.txt of aquifer-core cannot be read", e);
    }
    return functions;
  }

  private static void add(Map<String, Map<String, Effect>> functions, String line) {
    int reason = line.indexOf(": ");
    String[] words = line.substring(0, Math.max(0, reason)).split(" ", -1);
    if (words.length != 3 || !(words[0].equals("harmless") || words[0].equals("anything"))) {
      throw new IllegalStateException(
          "curated.txt: '" + line + "' is not 'harmless|anything extension function: reason'");
    }
    functions
        .computeIfAbsent(words[1], extension -> new HashMap<>())
        .put(words[2], words[0].equals("harmless") ? Effect.HARMLESS : Effect.UNKNOWN);
  }
}
