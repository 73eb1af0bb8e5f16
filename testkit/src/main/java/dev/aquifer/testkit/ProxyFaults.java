package dev.aquifer.testkit;

import java.time.Duration;

/** What a proxy does to the bytes that pass. */
record ProxyFaults(Mode mode, long delayNanos) {
  static final ProxyFaults NONE = new ProxyFaults(Mode.PASS, 0);

  enum Mode {
    PASS,
    DROP,
    STOP_READING
  }

  ProxyFaults withDelay(Duration delay) {
    return new ProxyFaults(mode, delay.toNanos());
  }

  ProxyFaults withMode(Mode other) {
    return new ProxyFaults(other, delayNanos);
  }
}
