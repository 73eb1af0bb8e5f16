package dev.aquifer.metrics;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.aquifer.AquiferException;
import dev.aquifer.spi.Report;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A page that shows the meters while they move: hits by tier, statements by node, lag, states,
 * windows. It is served by the JDK's own HTTP server and asks nobody else for anything.
 *
 * <pre>{@code
 * try (MetricsPage page = MetricsPage.of(registry)) {
 *   System.out.println(page.url());
 *   …
 * }
 * }</pre>
 *
 * <p>{@code /} is the page, {@code /meters.json} and {@code /reports.json} what it shows, {@code
 * /health} says up, degraded or down (status 503). Listens on the loopback address, on any free
 * port, and asks for a random token that {@link #url} contains: 401 without one, 403 with a wrong
 * one or under a foreign host name. At most four requests run at once, each for a limited time.
 *
 * <p>Thread-safe. {@link #close} ends it and leaves no thread.
 */
public final class MetricsPage implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(MetricsPage.class);
  private static final int WAITING_CONNECTIONS = 16;

  private final MeterRegistry registry;
  private final PageSettings settings;
  private final Clock clock;
  private final PageDocument document = PageDocument.load();
  private final DeadlineExecutor executor;
  private final HttpServer server;
  private final PageGate gate;
  private final AtomicBoolean closed = new AtomicBoolean();

  private MetricsPage(MeterRegistry registry, PageSettings settings, Clock clock) {
    this.registry = registry;
    this.settings = settings;
    this.clock = clock;
    InetSocketAddress address = new InetSocketAddress(settings.address(), settings.port());
    try {
      server = HttpServer.create(address, WAITING_CONNECTIONS);
    } catch (IOException e) {
      throw new AquiferException(
          "The metrics page cannot listen on %s port %d: %s. Choose another port, or 0 for any."
              .formatted(settings.address().getHostAddress(), settings.port(), e.getMessage()),
          e);
    }
    gate = new PageGate(settings.hosts(), server.getAddress().getPort(), settings.token());
    executor = new DeadlineExecutor(settings.requestTimeout());
    server.setExecutor(executor);
    server.createContext("/", this::handle);
    startAsDaemon();
  }

  /**
   * A page of this registry's meters, with the defaults.
   *
   * @throws AquiferException when no port can be opened
   */
  public static MetricsPage of(MeterRegistry registry) {
    return builder(registry).start();
  }

  /** Starts from the defaults. */
  public static Builder builder(MeterRegistry registry) {
    return new Builder(Objects.requireNonNull(registry, "registry"));
  }

  /** What to open in a browser. Contains the token: whoever has it sees the page. */
  public String url() {
    String host = settings.address().getHostAddress();
    String token = settings.token();
    return "http://%s:%d/%s"
        .formatted(
            host.contains(":") ? "[" + host + "]" : host,
            server.getAddress().getPort(),
            token == null ? "" : "?token=" + token);
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  /** Stops listening, ends what runs and its threads. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      server.stop(0);
      executor.close();
    }
  }

  /** Without the token. */
  @Override
  public String toString() {
    return "MetricsPage[" + server.getAddress() + "]";
  }

  /** The server's own thread is a daemon if its parent is one, and would keep the JVM up else. */
  private void startAsDaemon() {
    Thread starter = new Thread(server::start, "aquifer-page-start");
    starter.setDaemon(true);
    starter.start();
    boolean interrupted = false;
    while (starter.isAlive()) {
      try {
        starter.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      int refused = gate.refuses(exchange);
      if (refused != 0) {
        refuse(exchange, refused);
        return;
      }
      switch (exchange.getRequestURI().getPath()) {
        case "/" -> {
          exchange.getResponseHeaders().set("Content-Security-Policy", document.policy());
          send(
              exchange,
              200,
              "text/html; charset=utf-8",
              document.html().getBytes(StandardCharsets.UTF_8));
        }
        case "/meters.json" -> json(exchange, 200, MetersJson.of(registry, clock.millis()));
        case "/reports.json" -> json(exchange, 200, ReportsJson.of(settings.reports()));
        case "/health" -> {
          HealthReport report = new HealthReport(registry);
          json(exchange, report.httpStatus(), report.json());
        }
        default -> refuse(exchange, 404);
      }
    } catch (RuntimeException e) {
      log.warn("The metrics page could not answer {}", exchange.getRequestURI().getPath(), e);
    }
  }

  private static void refuse(HttpExchange exchange, int status) throws IOException {
    Headers headers = exchange.getResponseHeaders();
    if (status == 401) {
      headers.set("WWW-Authenticate", "Bearer realm=\"aquifer\"");
    } else if (status == 405) {
      headers.set("Allow", "GET, HEAD");
    }
    String why =
        switch (status) {
          case 401 -> "A token is needed: open the address that MetricsPage.url() returns.\n";
          case 403 -> "The token or the host name is not the right one.\n";
          case 405 -> "Only GET and HEAD.\n";
          default -> "Nothing here.\n";
        };
    send(exchange, status, "text/plain; charset=utf-8", why.getBytes(StandardCharsets.UTF_8));
  }

  private static void json(HttpExchange exchange, int status, String body) throws IOException {
    send(exchange, status, "application/json", body.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] body)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Cache-Control", "no-store");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("X-Content-Type-Options", "nosniff");
    if (exchange.getRequestMethod().equals("HEAD")) {
      headers.set("Content-Length", Integer.toString(body.length));
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** Settings of {@link MetricsPage}. Not thread-safe. */
  public static final class Builder {
    private static final int TOKEN_BYTES = 16;

    private final MeterRegistry registry;
    private final List<String> hosts = new ArrayList<>(List.of("localhost", "127.0.0.1", "[::1]"));
    private InetAddress address = InetAddress.getLoopbackAddress();
    private int port;
    private @Nullable String token = randomToken();
    private Duration requestTimeout = Duration.ofSeconds(10);
    private Clock clock = Clock.systemUTC();
    private final List<Report> reports = new ArrayList<>();

    private Builder(MeterRegistry registry) {
      this.registry = registry;
    }

    /** The port; 0, the default, is any free one. */
    public Builder port(int number) {
      port = number;
      return this;
    }

    /**
     * Listens there, and is reachable under that address. Default the loopback address. Plain HTTP:
     * put it behind something that encrypts when it leaves this machine.
     */
    public Builder address(InetAddress listen) {
      address = listen;
      String text = listen.getHostAddress();
      hosts.add(text.contains(":") ? "[" + text + "]" : text);
      return this;
    }

    /** Another host name, without a port, under which a browser may ask for the page. */
    public Builder host(String name) {
      hosts.add(name);
      return this;
    }

    /** A token of your own, 16 to 256 of {@code A-Z a-z 0-9 _ -}. Default random, 128 bits. */
    public Builder token(String secret) {
      token = secret;
      return this;
    }

    /** Asks for no token. Only on the loopback address. */
    public Builder withoutToken() {
      token = null;
      return this;
    }

    /** How long one request may take before its connection is closed. Default 10 s. */
    public Builder requestTimeout(Duration limit) {
      requestTimeout = limit;
      return this;
    }

    /**
     * A table below the meters, such as {@code TimeSeries.costs()}: 200 rows and 500 characters a
     * cell at most. Whoever opens the page sees those of all tenants.
     */
    public Builder report(Report shown) {
      reports.add(shown);
      return this;
    }

    /** Tells the time that the page shows. Default the system's. */
    public Builder clock(Clock source) {
      clock = source;
      return this;
    }

    /**
     * Opens the port and starts to answer.
     *
     * @throws IllegalArgumentException when a setting is out of its bounds or two contradict
     * @throws AquiferException when the port cannot be opened
     */
    public MetricsPage start() {
      return new MetricsPage(
          registry, new PageSettings(address, port, token, hosts, requestTimeout, reports), clock);
    }

    private static String randomToken() {
      byte[] random = new byte[TOKEN_BYTES];
      new SecureRandom().nextBytes(random);
      return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }
  }
}
