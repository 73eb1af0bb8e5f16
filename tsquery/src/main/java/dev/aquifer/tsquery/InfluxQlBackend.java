package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import java.io.StringWriter;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
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

  private final String database;
  private final @Nullable String retentionPolicy;
  private final Duration timeout;
  private final boolean boundValues;
  private final InfluxQlDialect dialect;
  private final InfluxErrors errors;
  private final InfluxHttp http;
  private final String source;

  private InfluxQlBackend(Builder builder) {
    URI endpoint = InfluxHttp.endpoint(builder.url, "/query");
    String name =
        builder.name != null
            ? builder.name
            : "influxdb " + endpoint.getAuthority() + "/" + builder.database;
    this.database = builder.database;
    this.retentionPolicy = builder.retentionPolicy;
    this.timeout = builder.timeout;
    this.boundValues = builder.boundValues;
    this.dialect = new InfluxQlDialect(builder.boundValues, builder.tags, builder.integers);
    this.errors = new InfluxErrors(name, "user and password, or the token", "URL and database");
    this.http = new InfluxHttp(endpoint, errors, builder.authorization, builder.connectTimeout);
    this.source =
        new Canonical()
            .text(endpoint.toString())
            .text(database)
            .text(retentionPolicy == null ? "" : retentionPolicy)
            .digest();
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
    return errors.name();
  }

  /** The address, the database and the retention policy. */
  @Override
  public String source(String measurement) {
    return source;
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
    List<StatementText> statements = dialect.render(request);
    InfluxQlPlan plan = dialect.plan(request.query());
    // Their conditions differ in their ranges alone, so they share their values.
    List<Object> values = statements.get(0).values();
    ask(
        request,
        statements,
        values,
        sink::received,
        new InfluxQlAnswer(InfluxQlAnswer.Target.of(request, plan, sink)));
  }

  /** One request of all statements, in order. */
  @Override
  public void fetchAll(List<FetchRequest> requests, BatchSink sink) {
    List<StatementText> statements = new ArrayList<>();
    List<Object> values = new ArrayList<>();
    List<InfluxQlAnswer.Target> targets = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      FetchRequest request = requests.get(i);
      List<StatementText> own = dialect.render(request, values.size());
      statements.addAll(own);
      values.addAll(own.get(0).values());
      InfluxQlPlan plan = dialect.plan(request.query());
      targets.addAll(InfluxQlAnswer.Target.of(request, plan, sink.rows(i)));
    }
    InfluxQlAnswer answer = new InfluxQlAnswer(targets);
    try {
      ask(requests.get(0), statements, values, sink::received, answer);
    } finally {
      // The server runs them in order, and none after one that fails.
      int from = 0;
      for (int i = 0; i < requests.size(); i++) {
        FetchRequest request = requests.get(i);
        int to = from + request.stretches().size() * dialect.plan(request.query()).statements();
        if (answer.answered(from, to)) {
          sink.answered(i);
        }
        from = to;
      }
    }
  }

  @Override
  public int queriesInRequest() {
    return 16;
  }

  private void ask(
      FetchRequest request,
      List<StatementText> statements,
      List<Object> values,
      LongConsumer received,
      InfluxQlAnswer answer) {
    Duration limit = request.timeout().compareTo(timeout) < 0 ? request.timeout() : timeout;
    String measurement = request.query().measurement();
    try {
      http.ask(http(statements, values), limit, measurement, received, answer::read);
    } catch (InfluxQlAnswer.ServerError e) {
      throw errors.failed(measurement, e.reason(), e);
    }
  }

  @Override
  public void close() {
    http.close();
  }

  private HttpRequest.Builder http(List<StatementText> statements, List<Object> values) {
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
      add(form, "params", params(values));
    }
    return http.request()
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json")
        .header("Accept-Encoding", "gzip")
        .POST(HttpRequest.BodyPublishers.ofString(String.join("&", form)));
  }

  private static String params(List<Object> values) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      for (int i = 0; i < values.size(); i++) {
        json.writeName("p" + i);
        if (values.get(i) instanceof String value) {
          json.writeString(value);
        } else {
          json.writeRawValue(InfluxQlDialect.literal(values.get(i)));
        }
      }
      json.writeEndObject();
    }
    return text.toString();
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
    private final Map<String, Set<String>> tags = new HashMap<>();
    private final Map<String, Set<String>> integers = new HashMap<>();

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
      return authorize(InfluxHttp.token(token));
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
     * All tags of a measurement but the tenant's, where they are known. Sums, means and deviations
     * of queries that group by, or ask for one value of, each of them are then those of the server;
     * others are asked for each series and joined here, so that the last digits of floats do not
     * depend on the range. Where there are other tags they may.
     *
     * @throws ConfigurationException when there are none, or they were told already
     */
    public Builder tags(String measurement, String... all) {
      Names.tell("tag", tags, measurement, all);
      return this;
    }

    /**
     * Fields of a measurement that are integers, where they are known: their sums and means are
     * those of the server, which are the same in any order.
     *
     * @throws ConfigurationException when there are none, or they were told already
     */
    public Builder integers(String measurement, String... fields) {
      Names.tell("field", integers, measurement, fields);
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
  }
}
