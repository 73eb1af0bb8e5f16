package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.PostgresTest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Bytes of answers, where they can be known and where they are estimated. */
@PostgresTest(
    schema =
        "CREATE TABLE vitals (at timestamptz, tenant text, device text, value float8);"
            + " INSERT INTO vitals SELECT timestamptz '2026-03-01' + i * interval '1 minute', 't1',"
            + " 'device ' || i % 7, sin(i) FROM generate_series(0, 19999) i")
class ReceivedBytesTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final String ANSWER =
      """
      {"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","sum0"],\
      "values":[[0,1.5],[60000000000,2]]}]}]}
      """;

  private final AtomicLong observed = new AtomicLong();

  @Test
  void query_overHttp_countsTheBodyAsItCame() throws Exception {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(zipped)) {
      zip.write(ANSWER.getBytes(StandardCharsets.UTF_8));
    }
    try (HttpAnswers server = new HttpAnswers();
        TimeSeries series = series(InfluxQlBackend.builder(server.url(), "db").build())) {
      server.next(200, ANSWER);
      assertThat(T1.call(() -> series.query(minutes("m", 2))).bytes()).isEqualTo(ANSWER.length());
      assertThat(T1.call(() -> series.query(minutes("m", 2))).bytes()).isZero();
      server.nextZipped(ANSWER);
      assertThat(T1.call(() -> series.queryUncached(minutes("m", 2))).bytes())
          .isEqualTo(zipped.size());
      String half = ANSWER.substring(0, 90);
      server.next(200, half);
      assertThatThrownBy(() -> T1.call(() -> series.queryUncached(minutes("m", 2))))
          .isInstanceOf(AquiferException.class);

      long all = 0L + ANSWER.length() + zipped.size() + half.length();
      assertThat(T1.call(series::profile).get(0).bytes()).isEqualTo(all);
      assertThat(series.statistics().bytesReceived()).isEqualTo(all);
      assertThat(observed).hasValue(all);
    }
  }

  @Test
  void queryAll_oneAnswerForAll_countsForEachByItsRows() throws Exception {
    String both =
        """
        {"results":[{"statement_id":0,"series":[{"name":"a","columns":["time","sum0"],\
        "values":[[0,1.5],[60000000000,2],[120000000000,2]]}]},\
        {"statement_id":1,"series":[{"name":"b","columns":["time","sum0"],"values":[[0,1.5]]}]}]}
        """;
    try (HttpAnswers server = new HttpAnswers();
        TimeSeries series = series(InfluxQlBackend.builder(server.url(), "db").build())) {
      server.next(200, both);
      List<BatchAnswer> answers =
          T1.call(() -> series.queryAll(List.of(minutes("a", 3), minutes("b", 3))));
      long first = answers.get(0).orThrow().bytes();
      long second = answers.get(1).orThrow().bytes();
      assertThat(second).isEqualTo(both.length() / 4);
      assertThat(first + second).isEqualTo(both.length());
      assertThat(observed).hasValue(both.length());
    }
  }

  /** An estimate is near what passes the wire. */
  @Test
  void query_ofPostgres_isEstimated(DataSource dataSource) throws Exception {
    PGSimpleDataSource direct = (PGSimpleDataSource) dataSource;
    try (FaultProxy proxy = FaultProxy.to(direct.getServerNames()[0], direct.getPortNumbers()[0])) {
      PGSimpleDataSource through = new PGSimpleDataSource();
      through.setServerNames(new String[] {proxy.host()});
      through.setPortNumbers(new int[] {proxy.port()});
      through.setDatabaseName(direct.getDatabaseName());
      through.setUser(direct.getUser());
      through.setPassword(direct.getPassword());
      through.setSslMode("disable");
      try (Connection connection = through.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute("SELECT 1");
      }
      long connecting = proxy.bytesToClient();
      SeriesTable table =
          SeriesTable.builder("vitals")
              .time("at")
              .tag("device")
              .field("value", ValueKind.DOUBLE)
              .build();
      try (TimeSeries series = series(PostgresBackend.of(through, table))) {
        TimeSeriesQuery query =
            minutes("vitals", 20_000).toBuilder()
                .groupBy("device")
                .range(
                    Instant.parse("2026-03-01T00:00:00Z"),
                    Instant.parse("2026-03-01T00:00:00Z").plus(Duration.ofMinutes(20_000)))
                .build();
        long told = T1.call(() -> series.query(query)).bytes();
        long passed = proxy.bytesToClient() - 2 * connecting;
        assertThat((double) told / passed).isBetween(0.6, 1.4);
        assertThat(observed).hasValue(told);
      }
    }
  }

  private TimeSeries series(Backend backend) {
    return TimeSeries.builder()
        .backend(backend)
        .observer(
            new Observer() {
              @Override
              public void windowFetched(
                  String measurement,
                  Tenant tenant,
                  long nanos,
                  long bytes,
                  @Nullable Throwable error) {
                observed.addAndGet(bytes);
              }
            })
        .build();
  }

  private static TimeSeriesQuery minutes(String measurement, int minutes) {
    return TimeSeriesQuery.builder(measurement)
        .select(Aggregate.SUM, "value")
        .every(Duration.ofMinutes(1))
        .range(Instant.EPOCH, Instant.EPOCH.plus(Duration.ofMinutes(minutes)))
        .build();
  }
}
