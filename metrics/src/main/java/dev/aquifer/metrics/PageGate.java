package dev.aquifer.metrics;

import com.sun.net.httpserver.HttpExchange;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may see the page.
 *
 * <p>The host that the browser believes it talks to is compared first: a foreign site whose name
 * was made to resolve to this machine (DNS rebinding) sends its own name there. Then the token, in
 * a time that does not depend on how much of it is right. It comes as the query parameter {@code
 * token}, which is how a person opens the page, or as a bearer in the header {@code Authorization},
 * which is how the page's script asks.
 */
final class PageGate {
  private static final String BEARER = "Bearer ";

  private final Set<String> hosts = new HashSet<>();
  private final byte @Nullable [] token;

  PageGate(List<String> names, int port, @Nullable String token) {
    for (String name : names) {
      String host = name.toLowerCase(Locale.ROOT);
      hosts.add(host);
      hosts.add(host + ":" + port);
    }
    this.token = token == null ? null : token.getBytes(StandardCharsets.UTF_8);
  }

  /** The status to refuse with, 0 to let pass. */
  int refuses(HttpExchange exchange) {
    List<String> host = exchange.getRequestHeaders().getOrDefault("Host", List.of());
    if (host.size() != 1 || !hosts.contains(host.get(0).toLowerCase(Locale.ROOT))) {
      return 403;
    }
    String method = exchange.getRequestMethod();
    if (!method.equals("GET") && !method.equals("HEAD")) {
      return 405;
    }
    if (token == null) {
      return 0;
    }
    String given = given(exchange);
    if (given == null) {
      return 401;
    }
    return MessageDigest.isEqual(token, given.getBytes(StandardCharsets.UTF_8)) ? 0 : 403;
  }

  private static @Nullable String given(HttpExchange exchange) {
    String header = exchange.getRequestHeaders().getFirst("Authorization");
    if (header != null && header.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      return header.substring(BEARER.length()).strip();
    }
    String query = exchange.getRequestURI().getRawQuery();
    if (query != null) {
      for (String part : query.split("&", -1)) {
        if (part.startsWith("token=")) {
          return part.substring("token=".length());
        }
      }
    }
    return null;
  }
}
