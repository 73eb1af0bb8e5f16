package dev.aquifer.cache;

import java.util.List;

/**
 * One numbered event of a partition: names are void, or poisoned for as many milliseconds, or void
 * and rid of a poison. Its text is the names' alone, {@code +token;millis;names}, or {@code
 * -token;names}; a text that is none of these reads as "everything is void", which is always safe.
 */
record Notice(Kind kind, String token, long millis, List<String> names) {
  /** What happened to the names. */
  enum Kind {
    VOID,
    POISON,
    LIFT
  }

  static Notice read(String text) {
    try {
      int first = text.indexOf(';') + 1;
      if (text.startsWith("+")) {
        int second = text.indexOf(';', first) + 1;
        return new Notice(
            Kind.POISON,
            text.substring(1, first - 1),
            Long.parseLong(text, first, second - 1, 10),
            Names.read(text.substring(second)));
      }
      if (text.startsWith("-")) {
        return new Notice(
            Kind.LIFT, text.substring(1, first - 1), 0, Names.read(text.substring(first)));
      }
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      return new Notice(Kind.VOID, "", 0, List.of(Partition.ALL));
    }
    return new Notice(Kind.VOID, "", 0, Names.read(text));
  }

  /** What a void tells that also lifts a poison. */
  static String lifting(String token, String names) {
    return "-" + token + ";" + names;
  }
}
