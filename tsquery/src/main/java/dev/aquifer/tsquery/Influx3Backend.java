package dev.aquifer.tsquery;

import com.influxdb.v3.client.InfluxDBClient;
import com.influxdb.v3.client.config.ClientConfig;
import com.influxdb.v3.client.internal.GrpcCallOptions;
import com.influxdb.v3.client.query.QueryOptions;
import com.influxdb.v3.client.query.QueryType;
import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.apache.arrow.memory.util.MemoryUtil;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;

/**
 * Time series in InfluxDB 3, asked in SQL over Arrow Flight by {@code influxdb3-java}, which must
 * be on the class path. Thread-safe. Record batches are read as they arrive; values are parameters.
 *
 * <p>The process needs {@code --add-opens=java.base/java.nio=ALL-UNNAMED}, for Arrow's memory.
 *
 * <p>Sums and means are added up on the server in order of time, and of value where times are
 * equal, as on PostgreSQL; first and last are the ends of that order. A measurement, field or tag
 * that was never written is an error of the server's, as in any SQL.
 */
public final class Influx3Backend implements Backend {
  private final Duration timeout;
  private final long maxBytes;
  private final String database;
  private final InfluxErrors errors;
  private final Influx3Calls calls;
  private final @Nullable String source;
  private final Influx3Dialect dialect = new Influx3Dialect();

  private Influx3Backend(Builder builder) {
    String name = builder.name != null ? builder.name : builder.defaultName;
    this.timeout = builder.timeout;
    this.maxBytes = builder.maxBytes;
    this.database = builder.database;
    this.errors = new InfluxErrors(name, "the token", "URL and database");
    this.source = builder.given == null || builder.name != null ? name : null;
    this.calls = new Influx3Calls(errors, builder.client(), builder.given == null);
  }

  /**
   * A backend for a database of a server.
   *
   * @param url such as {@code https://influx:8181}
   * @param database the database's name
   * @throws ConfigurationException when the URL is none of HTTP, has a path, or has user and
   *     password in it
   */
  public static Builder builder(String url, String database) {
    URI endpoint = InfluxHttp.endpoint(url, "");
    if (!endpoint.getPath().isEmpty()) {
      throw new ConfigurationException(
          "The URL of InfluxDB 3 has the path %s; Arrow Flight has host and port alone."
              .formatted(endpoint.getPath()));
    }
    return new Builder("influxdb " + endpoint.getAuthority(), database, endpoint, null);
  }

  /**
   * A backend for a database, through the application's own client: its address, credentials, proxy
   * and certificates.
   *
   * @param client is not closed by the backend; close it after the backend
   * @param database the database's name
   */
  public static Builder builder(InfluxDBClient client, String database) {
    return new Builder("influxdb", database, null, client);
  }

  @Override
  public String name() {
    return errors.name();
  }

  /**
   * The address and the database; or the name that was given. Null over a client that was given, as
   * it does not tell its address, without a name.
   */
  @Override
  public @Nullable String source(String measurement) {
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
  public void fetch(FetchRequest request, RowSink sink) {
    Influx3Answer answer = new Influx3Answer(request.query(), -1, sink);
    ask(request, dialect.render(request), new Sized(sink::received, answer::batch));
  }

  /** One statement; it answers all or nobody. */
  @Override
  public void fetchAll(List<FetchRequest> requests, BatchSink sink) {
    List<Influx3Answer> answers = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      answers.add(new Influx3Answer(requests.get(i).query(), i, sink.rows(i)));
    }
    Sized all = new Sized(sink::received, batch -> answers.forEach(answer -> answer.batch(batch)));
    ask(requests.get(0), dialect.render(requests), all);
    for (int i = 0; i < requests.size(); i++) {
      sink.answered(i);
    }
  }

  @Override
  public boolean escapesBackslashes() {
    return true;
  }

  @Override
  public int queriesInRequest() {
    return 8;
  }

  private void ask(
      FetchRequest request, StatementText statement, Consumer<VectorSchemaRoot> reader) {
    Duration limit = request.timeout().compareTo(timeout) < 0 ? request.timeout() : timeout;
    Map<String, Object> parameters = new LinkedHashMap<>();
    for (int i = 0; i < statement.values().size(); i++) {
      parameters.put(Influx3Dialect.parameter(i), statement.values().get(i));
    }
    QueryOptions options = new QueryOptions(database, QueryType.SQL);
    options.setGrpcCallOptions(
        new GrpcCallOptions.Builder()
            .withMaxInboundMessageSize((int) Math.min(Integer.MAX_VALUE, maxBytes))
            .build());
    calls.read(
        client -> client.queryBatches(statement.text(), parameters, options),
        limit,
        request.query().measurement(),
        reader);
  }

  /** Refuses an answer that is larger than allowed. */
  private final class Sized implements Consumer<VectorSchemaRoot> {
    private final LongConsumer received;
    private final Consumer<VectorSchemaRoot> next;
    private long bytes;

    Sized(LongConsumer received, Consumer<VectorSchemaRoot> next) {
      this.received = received;
      this.next = next;
    }

    @Override
    public void accept(VectorSchemaRoot batch) {
      long own = 0;
      for (FieldVector vector : batch.getFieldVectors()) {
        own += vector.getBufferSize();
      }
      received.accept(own);
      bytes += own;
      if (bytes > maxBytes) {
        throw new RefusedQueryException(
            ("The answer has more than %,d bytes. Ask for fewer series or longer windows, or raise"
                    + " maxBytes.")
                .formatted(maxBytes));
      }
      next.accept(batch);
    }
  }

  /** Ends the calls that are under way, and closes the client if it is the backend's own. */
  @Override
  public void close() {
    calls.close();
  }

  /** Builds an {@link Influx3Backend}. Not thread-safe. */
  public static final class Builder {
    private static final long MIN_BYTES = 1 << 16;

    private final String defaultName;
    private final String database;
    private final @Nullable URI endpoint;
    private final @Nullable InfluxDBClient given;
    private @Nullable String name;
    private char @Nullable [] token;
    private Duration timeout = Duration.ofSeconds(10);
    private long maxBytes = 256L << 20;

    private Builder(
        String defaultName,
        String database,
        @Nullable URI endpoint,
        @Nullable InfluxDBClient given) {
      this.defaultName = defaultName + "/" + database;
      this.database = Names.require("database", database);
      this.endpoint = endpoint;
      this.given = given;
    }

    /** What it is called in messages. Default: host, port and database. */
    public Builder name(String called) {
      name = Names.require("backend name", called);
      return this;
    }

    /**
     * The token.
     *
     * @throws ConfigurationException when it is none, or a client was given that has its own
     */
    public Builder token(String newToken) {
      if (given != null) {
        throw new ConfigurationException(
            "The token is a setting of the client that was given; set it there.");
      }
      InfluxHttp.token(newToken);
      token = newToken.toCharArray();
      return this;
    }

    /**
     * The longest that a request may take, connecting and the whole answer included. Default 10 s.
     */
    public Builder timeout(Duration limit) {
      timeout = Nanos.limit("timeout", limit);
      return this;
    }

    /**
     * The most bytes of an answer. Default 256 MiB, at least 64 KiB.
     *
     * @throws ConfigurationException when it is less
     */
    public Builder maxBytes(long bytes) {
      if (bytes < MIN_BYTES) {
        throw new ConfigurationException(
            "maxBytes is %,d; it must be at least %,d.".formatted(bytes, MIN_BYTES));
      }
      maxBytes = bytes;
      return this;
    }

    /**
     * The backend; it connects when it is first asked.
     *
     * @throws ConfigurationException when the process was started without {@code --add-opens}
     */
    public Influx3Backend build() {
      return new Influx3Backend(this);
    }

    private InfluxDBClient client() {
      try {
        // Arrow fails here if at all: not with the first answer, on a thread of the client's.
        MemoryUtil.getByteBufferAddress(ByteBuffer.allocateDirect(1));
      } catch (LinkageError e) {
        throw new ConfigurationException(
            "Arrow cannot use memory; start Java with --add-opens=java.base/java.nio=ALL-UNNAMED.",
            e);
      }
      if (given != null || endpoint == null) {
        return Objects.requireNonNull(given);
      }
      ClientConfig config =
          new ClientConfig.Builder()
              .host(endpoint.toString())
              .token(token)
              .database(database)
              .build();
      try {
        return InfluxDBClient.getInstance(config);
      } catch (RuntimeException e) {
        throw new AquiferException("No client for " + defaultName + " can be made", e);
      }
    }
  }
}
