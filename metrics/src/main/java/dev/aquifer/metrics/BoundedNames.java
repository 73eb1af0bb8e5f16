package dev.aquifer.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Something for each name, for a bounded number of names. The bound is applied before any tag is
 * built: a registry keeps every combination of tags that it was ever shown, so a filter in the
 * registry would come too late.
 *
 * <p>Names come from outside. One that is empty, very long or has a character that does not print,
 * and each that comes when all places are taken, counts as {@value #OTHER}. A known name is found
 * without a lock or an allocation, and so is the overflow once it is there.
 */
final class BoundedNames<T> {
  static final String OTHER = "other";
  static final int LONGEST = 200;

  private final int limit;
  private final Function<String, T> create;
  private final Map<String, T> named = new ConcurrentHashMap<>();
  private final ReentrantLock adding = new ReentrantLock();
  private volatile @Nullable T overflow;

  BoundedNames(int limit, Function<String, T> create) {
    this.limit = limit;
    this.create = create;
  }

  T of(String name) {
    T found = named.get(name);
    return found != null ? found : unknown(name);
  }

  private T unknown(String name) {
    boolean welcome = named.size() < limit && fit(name);
    T other = overflow;
    return !welcome && other != null ? other : add(name, welcome);
  }

  private T add(String name, boolean welcome) {
    adding.lock();
    try {
      T found = named.get(name);
      if (found != null) {
        return found;
      }
      if (welcome && named.size() < limit && !name.equals(OTHER)) {
        T added = create.apply(name);
        named.put(name, added);
        return added;
      }
      T other = overflow;
      if (other == null) {
        other = create.apply(OTHER);
        overflow = other;
      }
      return other;
    } finally {
      adding.unlock();
    }
  }

  private static boolean fit(String name) {
    return !name.isBlank()
        && name.length() <= LONGEST
        && name.codePoints().allMatch(BoundedNames::prints);
  }

  private static boolean prints(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
