package dev.aquifer.tsquery.flux;

import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The annotations before a header, in any order: what the cells below it are. */
final class FluxAnnotations {
  private final CsvScanner scanner;
  private @Nullable List<String> types;
  private @Nullable List<String> groups;
  private @Nullable List<String> defaults;

  FluxAnnotations(CsvScanner scanner) {
    this.scanner = scanner;
  }

  void clear() {
    types = null;
    groups = null;
    defaults = null;
  }

  /** Takes one; others than the three have no meaning. */
  void take(String name, List<String> cells) {
    switch (name) {
      case "#datatype" -> types = once(name, types, cells);
      case "#group" -> groups = once(name, groups, cells);
      case "#default" -> defaults = once(name, defaults, cells);
      default -> {}
    }
  }

  private List<String> once(String name, @Nullable List<String> before, List<String> cells) {
    if (before != null) {
      throw scanner.broken("a second " + name + " for one header");
    }
    return cells;
  }

  /**
   * Checks them and the header that they are for.
   *
   * @throws BrokenAnswerException they are not those of an answer of Flux
   */
  void check(List<String> labels) {
    int count = labels.size();
    if (types == null) {
      throw scanner.broken("no #datatype before a header; the request's dialect must ask for it");
    }
    if (differs(types, count) || differs(groups, count) || differs(defaults, count)) {
      throw scanner.broken("annotations and header differ in length");
    }
    if (count < 2 || !labels.get(0).equals("result") || !labels.get(1).equals("table")) {
      throw scanner.broken("a header without 'result' and 'table'; is it an answer of Flux?");
    }
    HashSet<String> known = new HashSet<>();
    for (String label : labels.subList(2, count)) {
      if (!known.add(label)) {
        throw scanner.broken("two columns '" + Messages.shown(label) + "'");
      }
    }
  }

  private static boolean differs(@Nullable List<String> cells, int count) {
    return cells != null && cells.size() != count;
  }

  /** What an empty cell of the column stands for; empty for null. */
  String byDefault(int index) {
    return defaults == null ? "" : defaults.get(index);
  }

  boolean grouped(int index) {
    String group = groups == null ? "false" : groups.get(index);
    if (!group.equals("true") && !group.equals("false")) {
      throw scanner.broken("a #group that is neither true nor false");
    }
    return group.equals("true");
  }

  FluxType type(int index) {
    String name = types == null ? "" : types.get(index);
    if (name.equals("dateTime") || name.equals("dateTime:RFC3339Nano")) {
      return FluxType.TIME;
    }
    for (FluxType type : FluxType.values()) {
      if (type.annotation().equals(name)) {
        return type;
      }
    }
    throw scanner.broken("a #datatype that is not known: '" + Messages.shown(name) + "'");
  }
}
