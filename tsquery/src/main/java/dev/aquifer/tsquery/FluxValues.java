package dev.aquifer.tsquery;

import dev.aquifer.tsquery.flux.FluxLiteral;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of one script while it is written, and what stands at its head for them. They are
 * bound as {@code params.p0}, {@code params.p1}, …, or written as literals. Not thread-safe.
 */
final class FluxValues {
  private final boolean bound;
  private final Map<Object, Integer> values = new LinkedHashMap<>();
  private final Map<String, String> regexes = new LinkedHashMap<>();
  private final Map<String, String> negatives = new LinkedHashMap<>();
  private boolean types;

  FluxValues(boolean bound) {
    this.bound = bound;
  }

  /** Whether they travel beside the text. */
  boolean bound() {
    return bound;
  }

  /** The text that stands for a value. */
  String value(Object value) {
    if (bound) {
      int index = values.computeIfAbsent(value, key -> values.size());
      return "params.p" + index;
    }
    // A negative number is a literal to the storage only where a name stands for it.
    String literal = literal(value);
    return literal.startsWith("-")
        ? negatives.computeIfAbsent(literal, key -> "n" + negatives.size())
        : literal;
  }

  String regex(String regex) {
    return bound
        ? regexes.computeIfAbsent(regex, key -> "re" + regexes.size())
        : FluxLiteral.regex(regex);
  }

  /** The script asks for the types of values. */
  void asksForTypes() {
    types = true;
  }

  /** The whole script. */
  StatementText statement(CharSequence text) {
    StringBuilder head = new StringBuilder();
    head.append(regexes.isEmpty() ? "" : "import \"regexp\"\n");
    head.append(types ? "import \"types\"\n" : "");
    head.append(regexes.isEmpty() && negatives.isEmpty() ? "" : "\n");
    regexes.forEach(
        (regex, name) -> {
          head.append(name).append(" = regexp.compile(v: ").append(value(regex));
          head.append(")\n");
        });
    negatives.forEach(
        (number, name) -> head.append(name).append(" = ").append(number).append('\n'));
    List<Object> all = new ArrayList<>(values.keySet());
    return new StatementText(head.append(text).toString(), all);
  }

  static String literal(Object value) {
    if (value instanceof String text) {
      return FluxLiteral.text(text);
    } else if (value instanceof Double real) {
      return FluxLiteral.decimal(real);
    }
    return value instanceof Long whole ? FluxLiteral.integer(whole) : value.toString();
  }
}
