package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Time series in InfluxDB, asked in InfluxQL over HTTP: 1.x with user and password, 2.x with a
 * token (its bucket mapped to a database and retention policy). Thread-safe. Answers are read as
 * they arrive, compressed where the server does that.
 *
 * <p>InfluxDB's JSON does not tell integers from floating numbers that are whole: see {@link
 * ValueColumn#kind}.
 */
public final class InfluxQlBackend implements Backend {
  private static final JsonFactory JSON = new JsonFactory();
  private static final int CHUNK_ROWS = 10_000;
  private static final AtomicInteger THREADS = new AtomicInteger();

  private final URI endpoint;
  private final String name;
  private final String database;
  private final @Nullable String retentionPolicy;
  private final @Nullable String authorization;
  private final Duration timeout;
  private final boolean boundValues;
  private final InfluxQlDialect dialect;
  private final ExecutorService executor;
  private final HttpClient client;
  private volatile boolean closed;

  private InfluxQlBackend(Builder builder) {
    this.endpoint = builder.endpoint();
    this.name =
        builder.name != null
            ? builder.name
            : "influxdb " + endpoint.getAuthority() + "/" + builder.database;
    this.database = builder.database;
    this.retentionPolicy = builder.retentionPolicy;
    this.authorization = builder.authorization;
    this.timeout = builder.timeout;
    this.boundValues = builder.boundValues;
    this.dialect = new InfluxQlDialect(builder.boundValues);
    this.executor =
        Executors.newCachedThreadPool(
            work -> {
              Thread thread = new Thread(work, "aquifer-influx-" + THREADS.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    this.client =
        HttpClient.newBuilder()
            .connectTimeout(builder.connectTimeout)
            .executor(executor)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
  }

  /**
   * A backend for a database of a server.
   *
   * @param url such as {@code http://influx:8086}, without user and password
   * @param database the database; in 2.x one that a bucket is mapped to
   */
  public static Builder builder(String url, String database) {
    return new Builder(url, database);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void check(TimeSeriesQuery query) {
    dialect.check(query);
  }

  @Override
  public List<StatementText> render(FetchRequest request) {
    return dialect.render(request);
  }

  @Override
  public void fetch(FetchRequest request, RowSink sink) {
    if (closed) {
      throw new IllegalStateException("The backend " + name + " is closed");
    }
    List<StatementText> statements = dialect.render(request);
    Duration limit = request.timeout().compareTo(timeout) < 0 ? request.timeout() : timeout;
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      HttpResponse<InputStream> response = send(http(statements, limit), deadline);
      try (InputStream body = body(response)) {
        if (response.statusCode() != 200) {
          throw refused(response.statusCode(), InfluxQlAnswer.error(body));
        }
        new InfluxQlAnswer(request.query(), statements.size(), sink).read(body);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("Interrupted while %s answered".formatted(name), e);
    } catch (IOException | JacksonException e) {
      throw new UnavailableException(
          "%s did not answer a query of %s within %s, or broke off"
              .formatted(name, request.query().measurement(), limit),
          e);
    } catch (InfluxQlAnswer.ServerError e) {
      throw new AquiferException(
          "%s could not answer a query of %s: %s"
              .formatted(name, request.query().measurement(), Names.printable(message(e), 200)),
          e);
    }
  }

  @Override
  public void close() {
    closed = true;
    executor.shutdownNow();
  }

  /** The client's own limit does not hold once its executor was shut down: this one does. */
  private HttpResponse<InputStream> send(HttpRequest http, long deadline)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(http, head -> new BodyStream(deadline));
    try {
      return answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    } catch (TimeoutException e) {
      throw new HttpTimeoutException("no answer began in time");
    } finally {
      answer.cancel(true);
    }
  }

  private HttpRequest http(List<StatementText> statements, Duration limit) {
    List<String> form = new ArrayList<>();
    add(form, "db", database);
    if (retentionPolicy != null) {
      add(form, "rp", retentionPolicy);
    }
    add(form, "epoch", "ns");
    add(form, "chunked", "true");
    add(form, "chunk_size", Integer.toString(CHUNK_ROWS));
    add(form, "q", String.join("; ", statements.stream().map(StatementText::text).toList()));
    if (boundValues) {
      // The statements of a request differ in their ranges alone, so they share their values.
      add(form, "params", params(statements.get(0).values()));
    }
    HttpRequest.Builder http =
        HttpRequest.newBuilder(endpoint)
            .timeout(limit)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .header("Accept-Encoding", "gzip")
            .POST(HttpRequest.BodyPublishers.ofString(String.join("&", form)));
    if (authorization != null) {
      http.header("Authorization", authorization);
    }
    return http.build();
  }

  private static String params(List<Object> values) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      for (int i = 0; i < values.size(); i++) {
        json.writeStringProperty("p" + i, values.get(i).toString());
      }
      json.writeEndObject();
    }
    return text.toString();
  }

  private static InputStream body(HttpResponse<InputStream> response) throws IOException {
    boolean zipped =
        response.headers().firstValue("Content-Encoding").orElse("").equalsIgnoreCase("gzip");
    return zipped
        ? new GZIPInputStream(response.body(), 1 << 16)
        : new BufferedInputStream(response.body());
  }

  private AquiferException refused(int status, @Nullable String error) {
    String reason = error == null ? "" : ": " + error;
    if (status == 401 || status == 403) {
      return new UnavailableException(
          "%s refused the credentials (HTTP %d)%s; check user and password, or the token"
              .formatted(name, status, reason));
    }
    return status >= 500
        ? new UnavailableException("%s failed (HTTP %d)%s".formatted(name, status, reason))
        : new AquiferException(
            "%s refused the request (HTTP %d)%s; check URL and database"
                .formatted(name, status, reason));
  }

  private static String message(Throwable error) {
    String message = error.getMessage();
    return message == null ? error.toString() : message;
  }

  private static void add(List<String> form, String key, String value) {
    form.add(key + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8));
  }

  /** Builds an {@link InfluxQlBackend}. Not thread-safe. */
  public static final class Builder {
    private final String url;
    private final String database;
    private @Nullable String name;
    private @Nullable String retentionPolicy;
    private @Nullable String authorization;
    private Duration timeout = Duration.ofSeconds(10);
    private Duration connectTimeout = Duration.ofSeconds(2);
    private boolean boundValues = true;

    private Builder(String url, String database) {
      this.url = url;
      this.database = Names.require("database", database);
    }

    /** What it is called in messages. Default: host, port and database. */
    public Builder name(String called) {
      name = Names.require("backend name", called);
      return this;
    }

    /** The retention policy. Default: the database's own default. */
    public Builder retentionPolicy(String policy) {
      retentionPolicy = Names.require("retention policy", policy);
      return this;
    }

    /**
     * User and password, for 1.x.
     *
     * @throws ConfigurationException when there is a token already
     */
    public Builder user(String user, String password) {
      String both = user + ":" + password;
      return authorize(
          "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * The token, for 2.x.
     *
     * @throws ConfigurationException when there are user and password already
     */
    public Builder token(String token) {
      if (token.chars().anyMatch(c -> c < 0x21 || c > 0x7e)) {
        throw new ConfigurationException("The token has characters that no token has.");
      }
      return authorize("Token " + token);
    }

    /** The longest that a request may take, the whole answer included. Default 10 s. */
    public Builder timeout(Duration limit) {
      timeout = Nanos.limit("timeout", limit);
      return this;
    }

    /** The longest that connecting may take. Default 2 s. */
    public Builder connectTimeout(Duration limit) {
      connectTimeout = Nanos.limit("connect timeout", limit);
      return this;
    }

    /**
     * Whether values travel beside the text, as InfluxDB 1.x and 2.x take them; otherwise they are
     * written into it, escaped. Default true.
     */
    public Builder boundValues(boolean bound) {
      boundValues = bound;
      return this;
    }

    /**
     * The backend; it connects when it is first asked.
     *
     * @throws ConfigurationException when the URL is none of HTTP, or has user and password in it
     */
    public InfluxQlBackend build() {
      return new InfluxQlBackend(this);
    }

    private Builder authorize(String header) {
      if (authorization != null) {
        throw new ConfigurationException(
            "Credentials are given twice; give user and password, or a token, once.");
      }
      authorization = header;
      return this;
    }

    private URI endpoint() {
      try {
        URI uri = new URI(url);
        boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (uri.getUserInfo() != null) {
          throw new ConfigurationException(
              "The URL of InfluxDB has user or password in it; give them by user(…) or token(…).");
        }
        if (http && uri.getHost() != null && uri.getQuery() == null) {
          String path = uri.getPath().replaceAll("/+$", "");
          return new URI(
              uri.getScheme(), null, uri.getHost(), uri.getPort(), path + "/query", null, null);
        }
      } catch (URISyntaxException e) {
        // Without the cause, whose message has the whole URL.
        throw new ConfigurationException("The URL of InfluxDB is none: " + e.getReason());
      }
      throw new ConfigurationException(
          "The URL of InfluxDB must be http(s)://host[:port][/path], without a query.");
    }
  }
}
