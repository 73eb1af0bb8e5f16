package dev.aquifer.tsquery.flux;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The names that a script has given a meaning so far, innermost first. */
final class Scope {
  /** A variable or a parameter, not an import. */
  private static final String VARIABLE = "";

  private final @Nullable Scope outer;
  private final Map<String, String> names = new HashMap<>();

  Scope(@Nullable Scope outer) {
    this.outer = outer;
  }

  boolean outermost() {
    return outer == null;
  }

  void define(String name, Place place) {
    if (packageOf(name) != null) {
      throw new RefusedScriptException(
          "'" + name + "' is the name of an imported package; choose another name", place);
    }
    put(name, VARIABLE, place);
  }

  void importAs(String name, String path, Place place) {
    if (knows(name)) {
      throw new RefusedScriptException(
          "two packages are imported as '" + name + "'; give one another name", place);
    }
    put(name, path, place);
  }

  private void put(String name, String path, Place place) {
    if (Harmless.reserved(name)) {
      throw new RefusedScriptException(
          "'"
              + name
              + "' is given another meaning, and the tenant's guard relies on it;"
              + " choose another name",
          place);
    }
    names.put(name, path);
  }

  /** Whether the script itself has defined the name. */
  boolean knows(String name) {
    return find(name) != null;
  }

  /** The path of the package that the name stands for, or null. */
  @Nullable String packageOf(String name) {
    String path = find(name);
    return VARIABLE.equals(path) ? null : path;
  }

  private @Nullable String find(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      String path = scope.names.get(name);
      if (path != null) {
        return path;
      }
    }
    return null;
  }
}
