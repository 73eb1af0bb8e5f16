package dev.aquifer.testkit;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what passes a proxy. */
final class ProxyTraffic {
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicLong toServer = new AtomicLong();
  private final AtomicLong toClient = new AtomicLong();

  void opened() {
    connections.incrementAndGet();
    accepted.incrementAndGet();
  }

  void closed() {
    connections.decrementAndGet();
  }

  void delivered(boolean towardsServer, long bytes) {
    (towardsServer ? toServer : toClient).addAndGet(bytes);
  }

  int connections() {
    return connections.get();
  }

  long accepted() {
    return accepted.get();
  }

  long toServer() {
    return toServer.get();
  }

  long toClient() {
    return toClient.get();
  }
}
