package dev.aquifer.tsquery.flux;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What names stand for where a script is being traced, innermost first. */
final class Bindings {
  private final @Nullable Bindings outer;
  private final Map<String, Meaning> names = new HashMap<>();

  Bindings(@Nullable Bindings outer) {
    this.outer = outer;
  }

  void define(String name, Meaning meaning) {
    names.put(name, meaning);
  }

  Meaning find(String name) {
    for (Bindings scope = this; scope != null; scope = scope.outer) {
      Meaning meaning = scope.names.get(name);
      if (meaning != null) {
        return meaning;
      }
    }
    return new Meaning.Builtin(name);
  }
}
