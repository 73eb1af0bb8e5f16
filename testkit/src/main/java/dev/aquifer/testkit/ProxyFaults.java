package dev.aquifer.testkit;

import java.time.Duration;

/**
 * What a proxy does to the bytes that pass.
 *
 * @param delayOthers whether the delay is that of every other connection alone
 */
record ProxyFaults(Mode mode, long delayNanos, boolean delayOthers) {
  static final ProxyFaults NONE = new ProxyFaults(Mode.PASS, 0, false);

  enum Mode {
    PASS,
    DROP,
    STOP_READING
  }

  ProxyFaults withDelay(Duration delay, boolean others) {
    return new ProxyFaults(mode, delay.toNanos(), others);
  }

  ProxyFaults withMode(Mode other) {
    return new ProxyFaults(other, delayNanos, delayOthers);
  }
}
