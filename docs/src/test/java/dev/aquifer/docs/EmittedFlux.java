package dev.aquifer.docs;

import dev.aquifer.tsquery.flux.FluxLiteral;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Keeps Flux that the manual shows or makes, for a check by InfluxData's own parser. */
final class EmittedFlux {
  private static final Path FOLDER = Path.of("target/flux-texts");

  private EmittedFlux() {}

  /**
   * Must be accepted whole.
   *
   * @param name of the file
   * @param params what the text reads as {@code params}
   */
  static void accepted(String name, String text, Map<String, ?> params) {
    List<String> fields = new ArrayList<>();
    params.forEach((key, value) -> fields.add(key + ": " + literal(value)));
    String before = params.isEmpty() ? "" : "params = {" + String.join(", ", fields) + "}\n";
    try {
      Files.createDirectories(FOLDER);
      Files.writeString(FOLDER.resolve(name + ".flux"), before + text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String literal(Object value) {
    return value instanceof Instant time
        ? FluxLiteral.time(time)
        : value instanceof Long number
            ? FluxLiteral.integer(number)
            : FluxLiteral.text((String) value);
  }
}
