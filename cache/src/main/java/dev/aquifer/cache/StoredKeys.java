package dev.aquifer.cache;

import java.nio.charset.StandardCharsets;

/** The names of things in Redis. The part in braces puts all of a partition into one slot. */
final class StoredKeys {
  private StoredKeys() {}

  static Remote.Stored of(TenantView view, String text) {
    String cache = view.cache.name;
    String rest =
        cache.length() + ":" + cache + ":" + view.cache.values.schema + ":" + KeyText.stored(text);
    String base = base(view.partition);
    return new Remote.Stored(bytes(base + "v:" + rest), bytes(base + "l:" + rest));
  }

  static byte[] state(Partition partition) {
    return bytes(base(partition) + "s");
  }

  static byte[] stream(Partition partition) {
    return bytes(base(partition) + "e");
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String base(Partition partition) {
    return "aq:{" + partition.name + "}:";
  }
}
