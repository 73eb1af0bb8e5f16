package dev.aquifer.tsquery.flux;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What an expression stands for while a script is traced without data. */
sealed interface Meaning {
  /** Anything that needs data or a server to be known; of a name bound to it, only that. */
  Meaning UNKNOWN = new Unknown();

  /** A stream of tables: what a step gives. */
  record Rows(Step step) implements Meaning {}

  /** A literal, a negative number or duration, true or false, or an array of those. */
  record Constant(Expression value) implements Meaning {}

  /** A value bound beside the text; its literal is asked for its kind, never written. */
  record Bound(Expression value) implements Meaning {}

  /** A function of the script's own. */
  record Closure(Expression.Function function, Bindings scope) implements Meaning {}

  /** A name that the script has not defined, members of packages with their path. */
  record Builtin(String name) implements Meaning {}

  /** An imported package. */
  record Imported(String path) implements Meaning {}

  /** A record of known keys. */
  record Fields(Map<String, Meaning> values) implements Meaning {
    public Fields {
      values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }
  }

  /** See {@link #UNKNOWN}. */
  record Unknown() implements Meaning {}
}
