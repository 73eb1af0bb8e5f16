package dev.aquifer.tsquery.flux;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A script in Flux, read into a tree: it can be confined to a tenant and written again.
 *
 * <pre>{@code
 * FluxScript script = FluxScript.parse(text).confinedTo("tenant", "t1");
 * send(script.text());
 * }</pre>
 *
 * <p>Immutable. Two scripts are equal when they say the same; comments, line breaks and parentheses
 * that change nothing are not kept.
 */
public final class FluxScript {
  /** The longest script that is read, in chars. */
  static final int MAX_LENGTH = 1_000_000;

  private final List<Statement> statements;

  FluxScript(List<Statement> statements) {
    this.statements = List.copyOf(statements);
  }

  /**
   * Reads a script. Takes time in proportion to its length.
   *
   * @throws RefusedScriptException it is not Flux, is longer than 1,000,000 chars or nested too
   *     deep; names not known are no matter here
   */
  public static FluxScript parse(String text) {
    requireReadable(text);
    Cursor cursor = new Cursor(text);
    List<Statement> statements = new StatementParser(cursor).script();
    Tree.requireHeight(statements);
    return new FluxScript(statements);
  }

  // A server that is handed a text with U+0000 in it may see its end there.
  private static void requireReadable(String text) {
    if (text.length() > MAX_LENGTH) {
      throw new RefusedScriptException(
          "it has %,d chars; at most %,d are read".formatted(text.length(), MAX_LENGTH),
          Place.NONE);
    }
    int line = 1;
    int lineStart = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        line++;
        lineStart = i + 1;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (c == '\0' || Character.isSurrogate(c)) {
        throw new RefusedScriptException(
            "U+%04X is not part of Flux".formatted((int) c), new Place(line, i - lineStart + 1));
      }
    }
  }

  /**
   * The same script, confined: each {@code from(…) |> range(…)} is followed by a filter for rows
   * whose {@code tag} is {@code value}, added where it is not there yet. Whatever the script does
   * afterwards, it does to those rows alone.
   *
   * @param tag the tag that names the tenant
   * @param value the tenant
   * @throws RefusedScriptException that is not enough to confine it: it reads another way, writes,
   *     calls out, or gives a new meaning to a name that the guard relies on
   */
  public FluxScript confinedTo(String tag, String value) {
    Expression.Text text = new Expression.Text(value, Place.NONE);
    FluxLiteral.requireUnicode(value);
    return new FluxScript(new TenantGuard(tag, text).confine(statements));
  }

  /**
   * The same script, written so that the storage of InfluxDB 2.x does more of it and the answer
   * stays the same, bit for bit; {@link #explain} says what is changed. A script that answers
   * answers the same, and one that fails on a row may answer where that row is not looked at any
   * more. What cannot be proven to stay the same is left as it is. A script that is confined stays
   * so, and one that is not is confined afterwards as well as before.
   *
   * <p>Takes time in proportion to the script's length.
   */
  public FluxScript optimized() {
    return optimized(FloatSums.EXACT);
  }

  /**
   * The same with a choice about the sums of floats.
   *
   * @param sums whether storage may add what the query engine added
   */
  public FluxScript optimized(FloatSums sums) {
    return new FluxScript(new Optimizer(Map.of(), sums).optimize(statements).script());
  }

  /**
   * What the storage of InfluxDB 2.x would do of this script, what not and why, and what {@link
   * #optimized} would change. Nothing is sent. Values of {@code params} are taken for texts,
   * numbers or booleans.
   */
  public FluxPlan explain() {
    return FluxPlan.of(statements, Map.of());
  }

  /** The script as text that reads back as an equal script. */
  public String text() {
    return Printer.print(statements);
  }

  List<Statement> statements() {
    return statements;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof FluxScript script && statements.equals(script.statements);
  }

  @Override
  public int hashCode() {
    return statements.hashCode();
  }

  /** The text. */
  @Override
  public String toString() {
    return text();
  }
}
