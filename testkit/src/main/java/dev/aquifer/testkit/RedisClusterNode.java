package dev.aquifer.testkit;

import java.util.ArrayList;
import java.util.List;

/** A node of a cluster as one of them sees it: a line of {@code CLUSTER NODES}. */
record RedisClusterNode(String id, int port, String flags, String master, List<int[]> slots) {

  static RedisClusterNode read(String line) {
    String[] parts = line.strip().split(" ", -1);
    String address = parts[1].replaceAll("[@,].*", "");
    List<int[]> slots = new ArrayList<>();
    for (int i = 8; i < parts.length; i++) {
      if (!parts[i].startsWith("[")) {
        String[] range = parts[i].split("-", -1);
        slots.add(
            new int[] {Integer.parseInt(range[0]), Integer.parseInt(range[range.length - 1])});
      }
    }
    return new RedisClusterNode(
        parts[0],
        Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)),
        parts[2],
        parts[3].equals("-") ? "" : parts[3],
        slots);
  }

  boolean known() {
    return !flags.contains("handshake") && !flags.contains("noaddr");
  }

  boolean myself() {
    return flags.contains("myself");
  }

  boolean hasSlot(int slot) {
    return slots.stream().anyMatch(range -> range[0] <= slot && slot <= range[1]);
  }

  int firstSlot() {
    return slots.get(0)[0];
  }
}
