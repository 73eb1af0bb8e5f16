package dev.aquifer.cache;

import java.util.Objects;

/** Keys as memory keeps them: as they are where that is safe, else their text. */
final class KeyForm {
  private static final ClassValue<Boolean> SIMPLE =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          return KeyText.simple(type);
        }
      };

  private KeyForm() {}

  private record TextKey(String text) {}

  static Object of(Object key) {
    if (key instanceof String || key instanceof Long || key instanceof Integer) {
      return key;
    }
    if (key instanceof CallKey call && call.simple) {
      return key;
    }
    boolean simple = SIMPLE.get(Objects.requireNonNull(key, "key").getClass());
    return simple ? key : new TextKey(KeyText.of(key));
  }

  /** Whether the key itself is what memory keeps. */
  static boolean isKey(Object form) {
    return !(form instanceof TextKey);
  }

  /** The key's text, of what memory keeps of it. */
  static String text(Object form) {
    return form instanceof TextKey known ? known.text() : KeyText.of(form);
  }
}
