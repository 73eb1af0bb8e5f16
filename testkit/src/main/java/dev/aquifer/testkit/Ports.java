package dev.aquifer.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntPredicate;

/**
 * Free ports on loopback, from a range below those that operating systems hand out to outgoing
 * connections: a server that was killed gets its own port back when it restarts.
 */
final class Ports {
  private static final int FIRST = 15_000;
  private static final int LAST = 32_000;
  private static final int BUS = 10_000;

  private Ports() {}

  static int free() {
    return free(LAST, Ports::isFree);
  }

  /** One whose bus port, that a node of a Redis Cluster opens beside it, is free as well. */
  static int freeWithBus() {
    return free(LAST - BUS, port -> isFree(port) && isFree(port + BUS));
  }

  private static int free(int last, IntPredicate wanted) {
    for (int attempt = 0; attempt < 1000; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, last);
      if (wanted.test(port)) {
        return port;
      }
    }
    throw new TestkitException("no free port between " + FIRST + " and " + last + " on 127.0.0.1");
  }

  /** 127.0.0.1, whatever the JVM prefers. */
  static InetAddress loopback() {
    try {
      return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    } catch (UnknownHostException e) {
      throw new IllegalStateException("four bytes are an address", e);
    }
  }

  static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, loopback())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
