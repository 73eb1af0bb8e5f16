package dev.aquifer.tsquery.flux;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Keeps texts that tests emit as files of {@code target/flux-texts}, for a check by InfluxData's
 * own parser: {@code src/test/flux-check}. Each once, and of each kind so many at most. What does
 * not fit is left out; an earlier run's files of the kind go. Thread-safe.
 */
public final class EmittedFlux {
  private static final JsonFactory JSON = new JsonFactory();
  private static final Path FOLDER = Path.of("target/flux-texts");

  private final String kind;
  private final int limit;
  private final Set<String> kept = new HashSet<>();

  private EmittedFlux(String kind, int limit) {
    this.kind = kind;
    this.limit = limit;
    try {
      Files.createDirectories(FOLDER);
      try (DirectoryStream<Path> earlier = Files.newDirectoryStream(FOLDER, kind + ".*")) {
        for (Path file : earlier) {
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * For texts of one kind.
   *
   * @param kind what they are, of {@code [a-z-]}
   * @param limit how many to keep
   */
  public static EmittedFlux of(String kind, int limit) {
    return new EmittedFlux(kind, limit);
  }

  /**
   * Must be accepted whole: syntax, names and types. The text may read these values as {@code
   * params.p0}, {@code params.p1}, ….
   */
  public void acceptedWith(List<?> values, String text) {
    List<String> fields = new ArrayList<>();
    for (Object value : values) {
      fields.add("p" + fields.size() + ": " + literal(value));
    }
    acceptedWith("{" + String.join(", ", fields) + "}", text);
  }

  /** The same of a text that was sent, with its values, in the body of a request. */
  public void acceptedSent(String body) {
    List<Object> values = new ArrayList<>();
    String text = "";
    String type = "";
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), body)) {
      while (json.nextToken() != null) {
        String name = json.currentToken().isScalarValue() ? json.currentName() : "";
        if ("query".equals(name)) {
          text = json.getString();
        } else if ("type".equals(name)) {
          type = json.getString();
        } else if ("value".equals(name)) {
          values.add(
              switch (type) {
                case "StringLiteral" -> json.getString();
                case "IntegerLiteral" -> Long.parseLong(json.getString());
                case "FloatLiteral" -> json.getDoubleValue();
                case "BooleanLiteral" -> json.getBooleanValue();
                default -> throw new IllegalArgumentException("A value is a " + type);
              });
        }
      }
    }
    if (values.isEmpty()) {
      keep(text, "flux");
    } else {
      acceptedWith(values, text);
    }
  }

  /**
   * The same of a text that reads its values from {@code params}.
   *
   * @param params a record, in Flux
   */
  public void acceptedWith(String params, String text) {
    int end = 0;
    while (text.startsWith("import ", end)) {
      end = text.indexOf('\n', end) + 1;
    }
    String option = "option params = " + params + "\n";
    keep(text.substring(0, end) + option + text.substring(end), "flux");
  }

  /** Must be accepted where the text that it was made from is. */
  public synchronized void acceptedLike(String before, String text) {
    Path file = keep(text, "flux");
    if (file != null) {
      write(file.resolveSibling(file.getFileName() + ".before"), before);
    }
  }

  /** Must be read without an error; names need not be known, regular expressions not be some. */
  public void read(String text) {
    keep(text, "syntax");
  }

  /** The same, and these are the texts that are literals in it, in this order. */
  public synchronized void readAs(List<String> literals, String text) {
    Path file = keep(text, "syntax");
    if (file != null) {
      write(file.resolveSibling(file.getFileName() + ".literals"), json(literals));
    }
  }

  private synchronized @Nullable Path keep(String text, String demand) {
    if (kept.size() == limit || !kept.add(text)) {
      return null;
    }
    Path file = FOLDER.resolve("%s.%04d.%s".formatted(kind, kept.size(), demand));
    write(file, text);
    return file;
  }

  private static String literal(Object value) {
    if (value instanceof Long whole) {
      return FluxLiteral.integer(whole);
    } else if (value instanceof Double real) {
      return FluxLiteral.decimal(real);
    }
    return value instanceof Boolean ? value.toString() : FluxLiteral.text((String) value);
  }

  private static String json(List<String> texts) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
      json.writeArray(texts.toArray(String[]::new), 0, texts.size());
    }
    return out.toString();
  }

  private static void write(Path file, String text) {
    try {
      Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
