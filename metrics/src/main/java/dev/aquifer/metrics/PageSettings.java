package dev.aquifer.metrics;

import dev.aquifer.spi.Report;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link MetricsPage} was built with.
 *
 * @param token null when none is asked for
 */
record PageSettings(
    InetAddress address,
    int port,
    @Nullable String token,
    List<String> hosts,
    Duration requestTimeout,
    List<Report> reports) {
  static final int SHORTEST_TOKEN = 16;

  PageSettings {
    hosts = List.copyOf(hosts);
    reports = List.copyOf(reports);
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException(
          "port is %,d; it must be 1 to 65535, or 0 for any free one.".formatted(port));
    }
    if (token == null && !address.isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "withoutToken() would show the page to everybody who can reach %s."
                  .formatted(address.getHostAddress())
              + " Keep the token, or listen on the loopback address.");
    }
    if (token != null && !token.matches("[A-Za-z0-9_-]{" + SHORTEST_TOKEN + ",256}")) {
      throw new IllegalArgumentException(
          "The token has %d characters, or others than A-Z a-z 0-9 _ -. Use %d to 256 of these."
              .formatted(token.length(), SHORTEST_TOKEN));
    }
    if (requestTimeout.isNegative() || requestTimeout.isZero()) {
      throw new IllegalArgumentException(
          "requestTimeout is %s; it must be more than zero.".formatted(requestTimeout));
    }
  }

  @Override
  public String toString() {
    return "PageSettings[address=%s, port=%d, token=%s, hosts=%s, requestTimeout=%s]"
        .formatted(address, port, token == null ? "none" : "***", hosts, requestTimeout);
  }
}
