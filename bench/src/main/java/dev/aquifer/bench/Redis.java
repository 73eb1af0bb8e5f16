package dev.aquifer.bench;

import dev.aquifer.testkit.RedisServer;
import java.time.Duration;

/** A real Redis, for as long as a contender is measured. */
abstract class Redis {
  static final Duration TTL = Duration.ofMinutes(10);
  static final int CAPACITY = 10_000;

  RedisServer server;

  void startServer() {
    server = RedisServer.start();
  }

  void stopServer() {
    server.close();
  }
}
