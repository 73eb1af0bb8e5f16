package dev.aquifer.cache;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The arguments of a call as a key. */
final class CallKey {
  private CallKey() {}

  /** One simple argument is the key itself; others are a list, which the cache copies as text. */
  static Object of(@Nullable Object @Nullable [] arguments, boolean plain) {
    if (arguments == null || arguments.length == 0) {
      return "";
    }
    Object first = arguments[0];
    return plain && first != null ? first : new ArrayList<>(Arrays.asList(arguments));
  }

  static @Nullable Object[] arguments(Object key) {
    return key instanceof List<?> list ? list.toArray() : new Object[] {key};
  }
}
