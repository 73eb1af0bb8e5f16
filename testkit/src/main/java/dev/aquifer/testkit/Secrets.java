package dev.aquifer.testkit;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Passwords of servers that live as long as a test. */
final class Secrets {
  private Secrets() {}

  static String password(SecureRandom random) {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
