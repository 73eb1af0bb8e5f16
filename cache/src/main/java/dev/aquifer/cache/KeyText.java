package dev.aquifer.cache;

import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalAmount;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The one text of a key. Every part says its type and, where its length is not fixed by that, how
 * long it is: two different keys never have the same text, whatever they contain.
 */
final class KeyText {
  /** Longer texts are named in Redis by their digest. */
  static final int DIGEST_FROM = 256;

  private static final String KEY = "k:";
  private static final String CACHE = "c:";
  private static final String TAG = "t:";
  private static final String RANGE = "r:";
  private static final int MAX_DEPTH = 32;

  private KeyText() {}

  /** The name of a key among the names of voids. */
  static String keyName(String cache, String text) {
    return KEY + cache.length() + ':' + cache + ':' + text;
  }

  static String cacheName(String cache) {
    return CACHE + cache;
  }

  static String tagName(String tag) {
    return TAG + tag;
  }

  static boolean isKey(String name) {
    return name.startsWith(KEY);
  }

  /** What is void of a timeline. */
  static String rangeName(String timeline, Timeline.Span span) {
    return RANGE + span.start() + ':' + span.stop() + ':' + timeline;
  }

  static boolean isRange(String name) {
    return name.startsWith(RANGE);
  }

  /** A range as its name says it. */
  record Range(String timeline, Timeline.Span span) {}

  /** The range of a name, or null where the name is of none. */
  static @Nullable Range range(String name) {
    int first = name.indexOf(':', RANGE.length());
    int second = first < 0 ? -1 : name.indexOf(':', first + 1);
    if (second < 0) {
      return null;
    }
    try {
      long start = Long.parseLong(name, RANGE.length(), first, 10);
      long stop = Long.parseLong(name, first + 1, second, 10);
      return start < stop
          ? new Range(name.substring(second + 1), new Timeline.Span(start, stop))
          : null;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** The same in whole milliseconds, never less: numbers in scripts have 53 bits. */
  static String coarse(String rangeName) {
    Range range = range(rangeName);
    if (range == null) {
      return Partition.ALL;
    }
    Timeline.Span span = range.span();
    return rangeName(range.timeline(), new Timeline.Span(span.startMillis(), span.stopMillis()));
  }

  /** Whether it is one of the names of this version. */
  static boolean isKnown(String name) {
    return isKey(name)
        || name.startsWith(CACHE)
        || name.startsWith(TAG)
        || (isRange(name) && range(name) != null)
        || name.equals(Partition.ALL);
  }

  /** The text as a part of a Redis key. */
  static String stored(String text) {
    if (text.length() <= DIGEST_FROM) {
      return "=" + text;
    }
    return "#" + HexFormat.of().formatHex(sha256(text));
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /** Whether values of the class are immutable and equal by what they hold, so may be kept. */
  static boolean simple(Class<?> type) {
    return type == String.class
        || type == Long.class
        || type == Integer.class
        || type == Short.class
        || type == Byte.class
        || type == Boolean.class
        || type == Character.class
        || type == Double.class
        || type == Float.class
        || type == UUID.class
        || type == BigInteger.class
        || type.isPrimitive()
        || type.isEnum()
        || (type.getName().startsWith("java.time.")
            && java.lang.reflect.Modifier.isFinal(type.getModifiers()));
  }

  /**
   * The text of a key.
   *
   * @throws IllegalArgumentException when the key holds something that has no one text
   */
  static String of(@Nullable Object key) {
    if (key instanceof String text && whole(text)) {
      return "s" + text.length() + ':' + text;
    }
    if (key instanceof Long number) {
      return "l" + number + ';';
    }
    StringBuilder text = new StringBuilder(48);
    append(text, key, 0);
    return text.toString();
  }

  private static void append(StringBuilder out, @Nullable Object part, int depth) {
    if (depth > MAX_DEPTH) {
      throw new IllegalArgumentException("A key nests deeper than " + MAX_DEPTH + " levels.");
    }
    if (part == null) {
      out.append('n');
    } else if (part instanceof String text) {
      sized(out, 's', text);
    } else if (part instanceof Number || part instanceof Boolean || part instanceof Character) {
      scalar(out, part);
    } else if (part instanceof Enum<?> constant) {
      sized(out, 'e', constant.getDeclaringClass().getName());
      sized(out, 's', constant.name());
    } else if (part instanceof UUID id) {
      sized(out, 'u', id.toString());
    } else if (simple(part.getClass())
        && (part instanceof TemporalAccessor || part instanceof TemporalAmount)) {
      sized(out, 't', part.getClass().getSimpleName());
      sized(out, 's', part.toString());
    } else if (part instanceof dev.aquifer.Tenant tenant) {
      sized(out, 'T', tenant.id());
    } else {
      container(out, part, depth);
    }
  }

  private static void scalar(StringBuilder out, Object part) {
    char tag =
        part instanceof Long
            ? 'l'
            : part instanceof Integer
                ? 'i'
                : part instanceof Short
                    ? 'h'
                    : part instanceof Byte
                        ? 'b'
                        : part instanceof Double
                            ? 'd'
                            : part instanceof Float
                                ? 'f'
                                : part instanceof Boolean
                                    ? 'z'
                                    : part instanceof Character
                                        ? 'c'
                                        : part.getClass() == BigDecimal.class
                                            ? 'D'
                                            : part.getClass() == BigInteger.class ? 'I' : 0;
    if (tag == 0) {
      throw unusable(part);
    }
    sized(out, tag, part.toString());
  }

  private static void container(StringBuilder out, Object part, int depth) {
    if (part instanceof Optional<?> optional) {
      out.append('o');
      append(out, optional.orElse(null), depth + 1);
    } else if (part.getClass().isArray()) {
      int length = Array.getLength(part);
      out.append('a').append(length).append('[');
      for (int i = 0; i < length; i++) {
        append(out, Array.get(part, i), depth + 1);
      }
      out.append(']');
    } else if (part instanceof Set<?> set) {
      TreeSet<String> sorted = new TreeSet<>();
      set.forEach(element -> sorted.add(nested(element, depth)));
      out.append('S').append(sorted.size()).append('[');
      sorted.forEach(out::append);
      out.append(']');
    } else if (part instanceof Map<?, ?> map) {
      TreeSet<String> sorted = new TreeSet<>();
      map.forEach((k, v) -> sorted.add(nested(k, depth) + nested(v, depth)));
      out.append('M').append(sorted.size()).append('[');
      sorted.forEach(out::append);
      out.append(']');
    } else if (part instanceof Collection<?> list) {
      out.append('a').append(list.size()).append('[');
      list.forEach(element -> append(out, element, depth + 1));
      out.append(']');
    } else if (part instanceof Record record) {
      components(out, record, depth);
    } else {
      throw unusable(part);
    }
  }

  private static void components(StringBuilder out, Record record, int depth) {
    RecordComponent[] components = record.getClass().getRecordComponents();
    sized(out, 'r', record.getClass().getName());
    out.append(components.length).append('[');
    for (RecordComponent component : components) {
      append(out, component(record, component), depth + 1);
    }
    out.append(']');
  }

  static @Nullable Object component(Record record, RecordComponent component) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(record);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalArgumentException(
          "The component '%s' of the record %s cannot be read."
              .formatted(component.getName(), record.getClass().getName()),
          e);
    }
  }

  private static String nested(@Nullable Object part, int depth) {
    StringBuilder text = new StringBuilder();
    append(text, part, depth + 1);
    return text.toString();
  }

  /** Whether the text has no half of a surrogate pair, which UTF-8 cannot tell from another. */
  private static boolean whole(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
      }
    }
    return true;
  }

  private static void sized(StringBuilder out, char tag, String text) {
    if (tag == 'l') {
      out.append('l').append(text).append(';');
      return;
    }
    if (!whole(text)) {
      out.append('w').append(tag).append(text.length()).append(':');
      text.chars().forEach(c -> out.append(HexFormat.of().toHexDigits((char) c)));
      return;
    }
    out.append(tag).append(text.length()).append(':').append(text);
  }

  private static IllegalArgumentException unusable(Object part) {
    return new IllegalArgumentException(
        "A %s cannot be part of a cache key. Use text, numbers, enums, UUIDs, java.time values, records or collections of these."
            .formatted(part.getClass().getName()));
  }
}
