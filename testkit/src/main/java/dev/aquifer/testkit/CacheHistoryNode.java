package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Host;

/** A node, its link to Redis, and what holds its threads. */
record CacheHistoryNode(Host host, FaultProxy proxy, CacheHistoryGate gate, CacheUnderTest cache) {
  String name() {
    return host.name();
  }

  void close() {
    gate.open();
    cache.close();
    proxy.close();
  }
}
