package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A statement as it is sent: the text, and the values that travel beside it.
 *
 * @param text in the server's language; holds no value that the server takes bound
 * @param values the bound values, in order
 */
public record StatementText(String text, List<Object> values) {
  /** Copies the values. */
  public StatementText {
    values = Collections.unmodifiableList(new ArrayList<>(values));
  }

  /** The text, and how many values are bound; not the values. */
  @Override
  public String toString() {
    return text + " -- " + values.size() + " bound values";
  }
}
