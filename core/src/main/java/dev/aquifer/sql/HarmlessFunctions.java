package dev.aquifer.sql;

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
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Volatile functions that a standby may run all the same, by the extension that makes them, read
 * once from {@code harmless.txt} beside this class, which gives the reason for each. Immutable,
 * thread-safe.
 */
public final class HarmlessFunctions {
  private static final Map<String, Set<String>> BY_EXTENSION = read();

  /** What stands for PostgreSQL itself where an extension is named. */
  private static final String BUILT_IN = "-";

  private HarmlessFunctions() {}

  /** PostgreSQL's own, all in {@code pg_catalog}. */
  public static Set<String> builtIn() {
    return of(BUILT_IN);
  }

  /** Whether the extension's function of that name is one; false for no extension. */
  public static boolean contains(@Nullable String extension, String function) {
    return extension != null && of(extension).contains(function);
  }

  private static Set<String> of(String extension) {
    return BY_EXTENSION.getOrDefault(extension, Set.of());
  }

  private static Map<String, Set<String>> read() {
    Map<String, Set<String>> functions = new HashMap<>();
    try (InputStream in =
            Objects.requireNonNull(
                HarmlessFunctions.class.getResourceAsStream("harmless.txt"), "harmless.txt");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.isEmpty() || line.startsWith("#")) {
          continue;
        }
        int name = line.indexOf(' ') + 1;
        int reason = line.indexOf(": ");
        if (name == 0 || reason < name) {
          throw new IllegalStateException(
              "harmless.txt: '" + line + "' is not 'extension function: reason'");
        }
        functions
            .computeIfAbsent(line.substring(0, name - 1), extension -> new TreeSet<>())
            .add(line.substring(name, reason));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("harmless.txt of aquifer-core cannot be read", e);
    }
    return functions;
  }
}
