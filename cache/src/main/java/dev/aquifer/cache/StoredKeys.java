package dev.aquifer.cache;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The names of a partition's things in Redis. The part in braces puts all of them into one slot.
 */
final class StoredKeys {
  final byte[] state;
  final byte[] stream;

  /** Incarnation and sequence alone, as text: what the first look at entries reads with them. */
  final byte[] position;

  private final String base;

  StoredKeys(String partition) {
    this.base = "aq:{" + partition + "}:";
    this.state = bytes(base + "s");
    this.stream = bytes(base + "e");
    this.position = bytes(base + "p");
  }

  /** How all names begin. */
  byte[] base() {
    return bytes(base);
  }

  /** Where a cache's entries are. */
  byte[] entries(CacheCore cache) {
    return place("v:", cache);
  }

  /** Where their leases are. */
  byte[] leases(CacheCore cache) {
    return place("l:", cache);
  }

  private byte[] place(String kind, CacheCore cache) {
    String name = cache.name;
    return bytes(base + kind + name.length() + ":" + name + ":" + cache.values.schema + ":");
  }

  static Remote.Stored of(TenantView view, String text) {
    return new Remote.Stored(entry(view, text), lease(view, text));
  }

  static byte[] entry(TenantView view, String text) {
    return joined(view.entryPrefix, text);
  }

  static byte[] lease(TenantView view, String text) {
    return joined(view.leasePrefix, text);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** What {@link KeyText#stored} says after the prefix, for most keys with no text in between. */
  private static byte[] joined(byte[] place, String text) {
    int length = text.length();
    if (length > KeyText.DIGEST_FROM) {
      return joined(place, bytes(KeyText.stored(text)));
    }
    byte[] all = Arrays.copyOf(place, place.length + 1 + length);
    all[place.length] = '=';
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        return joined(place, bytes(KeyText.stored(text)));
      }
      all[place.length + 1 + i] = (byte) c;
    }
    return all;
  }

  private static byte[] joined(byte[] place, byte[] key) {
    byte[] all = Arrays.copyOf(place, place.length + key.length);
    System.arraycopy(key, 0, all, place.length, key.length);
    return all;
  }
}
