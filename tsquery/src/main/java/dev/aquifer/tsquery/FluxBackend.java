package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import dev.aquifer.tsquery.flux.BrokenAnswerException;
import dev.aquifer.tsquery.flux.FailedScriptException;
import dev.aquifer.tsquery.flux.FluxCsv;
import dev.aquifer.tsquery.flux.FluxPlan;
import dev.aquifer.tsquery.flux.FluxQuery;
import dev.aquifer.tsquery.flux.FluxSink;
import java.io.StringWriter;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Time series in InfluxDB 2.x, asked in Flux. Thread-safe. Answers are read as they arrive. Values
 * travel beside the text, in the request's {@code extern}.
 *
 * <p>Where points of several series share a window (no {@code groupBy} tells them apart), they are
 * taken in order of time, and of value where times are equal, as on PostgreSQL: first and last are
 * the ends of that order, sums are added up in it. The server sorts for them. Tell of a
 * measurement's {@link Builder#tags} where the queries' groups are its series, and the storage does
 * all of it by itself.
 */
public final class FluxBackend implements Backend {
  private static final JsonFactory JSON = new JsonFactory();

  private final Duration timeout;
  private final boolean boundValues;
  private final FluxDialect dialect;
  private final InfluxErrors errors;
  private final FluxTransport transport;
  private final String source;

  private FluxBackend(Builder builder) {
    String name = builder.name != null ? builder.name : builder.defaultName;
    this.timeout = builder.timeout;
    this.boundValues = builder.boundValues;
    this.dialect =
        new FluxDialect(builder.bucket, builder.boundValues, builder.tags, builder.integers);
    this.errors = new InfluxErrors(name, "the token", "URL, organization and bucket");
    this.transport = builder.transport.apply(builder, errors);
    this.source = new Canonical().text(builder.address).text(builder.bucket).digest();
  }

  /**
   * A backend for a bucket of a server.
   *
   * @param url such as {@code http://influx:8086}
   * @param org the organization's name
   * @param bucket the bucket's name
   */
  public static Builder builder(String url, String org, String bucket) {
    Names.require("organization", org);
    URI endpoint = InfluxHttp.endpoint(url, "/api/v2/query");
    URI query = URI.create(endpoint + "?org=" + URLEncoder.encode(org, StandardCharsets.UTF_8));
    return new Builder(
        "influxdb " + endpoint.getAuthority(),
        query.toString(),
        bucket,
        (builder, errors) -> new OwnTransport(builder, query, errors),
        false);
  }

  /**
   * A backend that asks through a client of the application's.
   *
   * @param address that it asks, with the organization
   */
  static Builder over(
      String address, String bucket, Function<InfluxErrors, FluxTransport> transport) {
    return new Builder(
        "influxdb", address, bucket, (builder, errors) -> transport.apply(errors), true);
  }

  @Override
  public String name() {
    return errors.name();
  }

  /** The address, the organization and the bucket. */
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
    return List.of(dialect.render(request));
  }

  @Override
  public List<String> remarks(FetchRequest request) {
    List<String> handed = handedOver(request);
    String advice = dialect.plan(request.query(), false).lost(dialect.tags(request.query()));
    // What is not of the query's own making is said in its own words.
    return handed.isEmpty() || advice == null ? handed : List.of(advice);
  }

  /** What the server's planner leaves to the query engine. */
  private List<String> handedOver(FetchRequest request) {
    return query(dialect.render(request)).explain().reads().stream()
        .filter(read -> read.storage() != FluxPlan.Storage.WINDOW_AGGREGATE)
        .map(FluxPlan.Read::left)
        .filter(Objects::nonNull)
        .map(
            left ->
                "InfluxDB's storage hands over points before '%s': %s"
                    .formatted(left.call(), left.reason()))
        .distinct()
        .toList();
  }

  @Override
  public boolean totals(TimeSeriesQuery query, String field) {
    return dialect.totals(query, field);
  }

  @Override
  public void fetch(FetchRequest request, RowSink sink) {
    FluxAnswer answer = answer(0, request, sink);
    ask(List.of(request), sink::received, answer);
    answer.end();
  }

  /** One script; it answers all or nobody. */
  @Override
  public void fetchAll(List<FetchRequest> requests, BatchSink sink) {
    List<FluxAnswer> answers = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      answers.add(answer(i, requests.get(i), sink.rows(i)));
    }
    ask(requests, sink::received, chunk -> whose(answers, chunk.result()).chunk(chunk));
    for (int i = 0; i < requests.size(); i++) {
      answers.get(i).end();
      sink.answered(i);
    }
  }

  @Override
  public int queriesInRequest() {
    return 8;
  }

  private static FluxAnswer whose(List<FluxAnswer> answers, String result) {
    for (FluxAnswer answer : answers) {
      if (answer.has(result)) {
        return answer;
      }
    }
    return answers.get(0); // which says that it did not ask for it
  }

  private FluxAnswer answer(int index, FetchRequest request, RowSink sink) {
    return new FluxAnswer(
        FluxDialect.prefix(index),
        dialect.plan(request.query(), request.few()),
        request.stretches(),
        sink);
  }

  private void ask(List<FetchRequest> requests, LongConsumer received, FluxSink answer) {
    Duration left = requests.get(0).timeout();
    Duration limit = left.compareTo(timeout) < 0 ? left : timeout;
    String measurement = requests.get(0).query().measurement();
    String json = json(dialect.render(requests));
    try {
      transport.ask(json, limit, measurement, received, body -> FluxCsv.read(body, answer));
    } catch (FailedScriptException e) {
      throw errors.failed(measurement, e.reason(), e);
    } catch (BrokenAnswerException e) {
      throw errors.brokenOff(measurement, limit, e);
    }
  }

  @Override
  public int rangesInRequest() {
    return 8;
  }

  @Override
  public void close() {
    transport.close();
  }

  private static FluxQuery query(StatementText statement) {
    FluxQuery query = FluxQuery.of(statement.text());
    for (int i = 0; i < statement.values().size(); i++) {
      query = query.bind("p" + i, statement.values().get(i));
    }
    return query;
  }

  private String json(StatementText statement) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("type", "flux");
      json.writeStringProperty("query", statement.text());
      if (boundValues) {
        json.writeName("extern");
        json.writeRawValue(query(statement).extern());
      }
      json.writeObjectPropertyStart("dialect");
      json.writeBooleanProperty("header", true);
      json.writeArrayPropertyStart("annotations");
      json.writeString("datatype");
      json.writeString("group");
      json.writeString("default");
      json.writeEndArray();
      json.writeEndObject();
      json.writeEndObject();
    }
    return text.toString();
  }

  /** Over connections of its own. */
  private record OwnTransport(InfluxHttp http, boolean gzip) implements FluxTransport {
    OwnTransport(Builder builder, URI endpoint, InfluxErrors errors) {
      this(
          new InfluxHttp(endpoint, errors, builder.authorization, builder.connectTimeout),
          builder.gzip);
    }

    @Override
    public void ask(
        String json,
        Duration limit,
        String measurement,
        LongConsumer received,
        InfluxHttp.Reader reader) {
      HttpRequest.Builder request =
          http.request()
              .header("Content-Type", "application/json")
              .header("Accept", "application/csv")
              .header("Accept-Encoding", gzip ? "gzip" : "identity")
              .POST(HttpRequest.BodyPublishers.ofString(json));
      http.ask(request, limit, measurement, received, reader);
    }

    @Override
    public void close() {
      http.close();
    }
  }

  /** Builds a {@link FluxBackend}. Not thread-safe. */
  public static final class Builder {
    private final String defaultName;
    private final String address;
    private final String bucket;
    private final BiFunction<Builder, InfluxErrors, FluxTransport> transport;
    private final boolean given;
    private final Map<String, Set<String>> tags = new LinkedHashMap<>();
    private final Map<String, Set<String>> integers = new LinkedHashMap<>();
    private @Nullable String name;
    private @Nullable String authorization;
    private Duration timeout = Duration.ofSeconds(10);
    private Duration connectTimeout = Duration.ofSeconds(2);
    private boolean boundValues = true;
    private boolean gzip = true;

    private Builder(
        String defaultName,
        String address,
        String bucket,
        BiFunction<Builder, InfluxErrors, FluxTransport> transport,
        boolean given) {
      this.defaultName = defaultName + "/" + bucket;
      this.address = address;
      this.bucket = Names.require("bucket", bucket);
      this.transport = transport;
      this.given = given;
    }

    /** What it is called in messages. Default: host, port and bucket. */
    public Builder name(String called) {
      name = Names.require("backend name", called);
      return this;
    }

    /**
     * The token.
     *
     * @throws ConfigurationException when it is none, or a client was given that has its own
     */
    public Builder token(String token) {
      refuseGiven("token");
      authorization = InfluxHttp.token(token);
      return this;
    }

    /** The longest that a request may take, the whole answer included. Default 10 s. */
    public Builder timeout(Duration limit) {
      timeout = Nanos.limit("timeout", limit);
      return this;
    }

    /**
     * The longest that connecting may take. Default 2 s.
     *
     * @throws ConfigurationException a client was given that has its own
     */
    public Builder connectTimeout(Duration limit) {
      refuseGiven("connect timeout");
      connectTimeout = Nanos.limit("connect timeout", limit);
      return this;
    }

    /**
     * Whether values travel beside the text, as InfluxDB 2.x takes them; otherwise they are written
     * into it, as literals. Default true.
     */
    public Builder boundValues(boolean bound) {
      boundValues = bound;
      return this;
    }

    /**
     * Whether answers come compressed: about a tenth of the bytes, for some of the server's time.
     * Default true.
     *
     * @throws ConfigurationException a client was given that has its own way
     */
    public Builder gzip(boolean compressed) {
      refuseGiven("compression");
      gzip = compressed;
      return this;
    }

    /**
     * All tags of a measurement but the tenant's, where they are known. Queries that group by, or
     * ask for one value of, each of them are then answered by the server alone. An answer that
     * shows other tags is an error.
     *
     * @throws ConfigurationException when there are none, or they were told already
     */
    public Builder tags(String measurement, String... all) {
      Names.tell("tag", tags, measurement, all);
      return this;
    }

    /**
     * Fields of a measurement that are integers, where they are known. Their sums are the same in
     * whatever order the server adds them up, so it need not sort: sums and means cost less where
     * series share windows. What it answers as floats is an error.
     *
     * @throws ConfigurationException when there are none, or they were told already
     */
    public Builder integers(String measurement, String... fields) {
      Names.tell("field", integers, measurement, fields);
      return this;
    }

    /** The backend; it connects when it is first asked. */
    public FluxBackend build() {
      return new FluxBackend(this);
    }

    private void refuseGiven(String setting) {
      if (given) {
        throw new ConfigurationException(
            "The %s is a setting of the client that was given; set it there.".formatted(setting));
      }
    }
  }
}
