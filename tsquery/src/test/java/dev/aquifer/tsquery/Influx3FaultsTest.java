package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ArrowBatches.answer;
import static dev.aquifer.tsquery.ArrowBatches.batch;
import static dev.aquifer.tsquery.ArrowBatches.bits;
import static dev.aquifer.tsquery.ArrowBatches.floats;
import static dev.aquifer.tsquery.ArrowBatches.longs;
import static dev.aquifer.tsquery.ArrowBatches.summed;
import static dev.aquifer.tsquery.ArrowBatches.texts;
import static dev.aquifer.tsquery.ArrowBatches.times;
import static dev.aquifer.tsquery.ArrowBatches.unsigned;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.influxdb.v3.client.InfluxDBClient;
import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.FaultProxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.CallStatus;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.TimeStampMilliVector;
import org.apache.arrow.vector.TimeStampNanoVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers good and bad, over a real server of Arrow Flight. None of the bad ones may be kept. */
@ParameterizedClass
@EnumSource(Influx3FaultsTest.Way.class)
class Influx3FaultsTest {
  private static final String TOKEN = "s3cret-of-the-test";
  private static final TimeRange MINUTE =
      new TimeRange(Instant.EPOCH, Instant.EPOCH.plusSeconds(60));

  /** Whose client it is. */
  enum Way {
    OWN,
    CLIENT
  }

  private final FlightAnswers server = new FlightAnswers();
  private final InfluxDBClient client =
      InfluxDBClient.getInstance(server.url(), TOKEN.toCharArray(), "other");
  private final Way way;
  private final TimeSeries series;
  private final TimeSeries impatient;

  Influx3FaultsTest(Way way) {
    this.way = way;
    this.series = series(Duration.ofSeconds(30));
    this.impatient = series(Duration.ofMillis(500));
  }

  private TimeSeries series(Duration limit) {
    Backend backend = builder().name("influx of the test").timeout(limit).build();
    return TimeSeries.builder().backend(backend).timeout(Duration.ofMinutes(1)).build();
  }

  private Influx3Backend.Builder builder() {
    return way == Way.OWN
        ? Influx3Backend.builder(server.url(), "vitals").token(TOKEN)
        : Influx3Backend.builder(client, "vitals");
  }

  @AfterEach
  void close() throws Exception {
    series.close();
    impatient.close();
    client.close();
    server.close();
  }

  @Test
  void query_goodAnswer_isReadAndKept() throws Exception {
    server.next(ArrowBatches::good);

    TimeSeriesResult result = ask();

    assertThat(result.series().get(0).columns().get(0).doubleAt(1)).isEqualTo(2.0);
    assertThat(ask().requests()).isZero();
    assertThat(server.lastToken()).isEqualTo("Bearer " + TOKEN);
    assertThat(server.lastTicket())
        .contains("\"database\":\"vitals\"", "\"query_type\":\"sql\"")
        .contains("\"params\":{\"tenant\":\"t1\"}")
        .contains("WHERE \\\"tenant\\\" = $tenant AND");
  }

  @Test
  void queryAll_several_areOneStatementAndTakeTheirOwnRows() throws Exception {
    server.next(
        (memory, out) -> {
          BigIntVector requests = longs(memory, "request", 1);
          requests.setSafe(1, 0);
          requests.setValueCount(2);
          answer(
              out,
              requests,
              times(memory, 60_000_000_000L, 0),
              half(memory, "of0_max0", 1, 1.5),
              half(memory, "of1_max0", 0, 7.5));
        });
    TimeSeriesQuery other = query(Aggregate.MAX).toBuilder().every(Duration.ofSeconds(30)).build();

    List<BatchAnswer> answers =
        Tenant.of("t1").call(() -> series.queryAll(List.of(query(Aggregate.MAX), other)));

    for (int i = 0; i < 2; i++) {
      Series only = answers.get(i).orThrow().series().get(0);
      assertThat(only.size()).isEqualTo(1);
      assertThat(only.start(0)).isEqualTo(Instant.ofEpochSecond(60L * i));
      assertThat(only.columns().get(0).doubleAt(0)).isEqualTo(i == 0 ? 1.5 : 7.5);
    }
    assertThat(server.lastTicket()).contains("UNION ALL SELECT 1 AS request");
  }

  /** A column of two values of which one is there. */
  private static Float8Vector half(BufferAllocator memory, String name, int at, double value) {
    Float8Vector vector = new Float8Vector(name, memory);
    vector.setSafe(at, value);
    vector.setNull(1 - at);
    vector.setValueCount(2);
    return vector;
  }

  @Test
  void query_nothingFound_isAnEmptyAnswer() throws Exception {
    server.next((memory, out) -> answer(out, times(memory), floats(memory)));

    assertThat(ask().series()).isEmpty();
  }

  @Test
  void query_zeroAndNullAndOtherUnits_areRead() throws Exception {
    server.next(
        (memory, out) -> {
          TimeStampMilliVector times = new TimeStampMilliVector("w", memory);
          times.setSafe(0, 60_000);
          times.setSafe(1, 0);
          times.setValueCount(2);
          Float8Vector values = floats(memory, -0.0);
          values.setNull(1);
          answer(out, times, values);
        });

    ValueColumn column = ask().series().get(0).columns().get(0);

    assertThat(column.toString()).endsWith("[0.0]");
  }

  @Test
  void query_means_areSumsByTheirCounts() throws Exception {
    server.next((memory, out) -> summed(memory, out, longs(memory, "sum0", 10), 10, 4));
    assertThat(value(Aggregate.MEAN)).isEqualTo(2.5);
    assertThat(value(Aggregate.SUM)).isEqualTo(10L);

    server.next((memory, out) -> summed(memory, out, unsigned(memory, -1), 0x1p64, 2));
    assertThat(value(Aggregate.MEAN)).isEqualTo(0x1p63);
    assertThat(value(Aggregate.SUM)).isEqualTo(0x1p64);
  }

  @Test
  void query_sumThatOverflowed_isAnError() {
    server.next(
        (memory, out) -> summed(memory, out, longs(memory, "sum0", Long.MIN_VALUE), 0x1p63, 2));
    assertThatThrownBy(() -> value(Aggregate.SUM)).hasMessageContaining("passes 64 bits");

    server.next((memory, out) -> summed(memory, out, unsigned(memory, 1), 0x1p64, 2));
    assertThatThrownBy(() -> value(Aggregate.MEAN))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("passes 64 bits");
  }

  @Test
  void query_wrongToken_saysSoWithoutIt() {
    for (CallStatus status : List.of(CallStatus.UNAUTHENTICATED, CallStatus.UNAUTHORIZED)) {
      server.next((memory, out) -> out.error(status.withDescription("bad").toRuntimeException()));
      assertThatThrownBy(this::ask)
          .isInstanceOf(UnavailableException.class)
          .hasMessageContainingAll("influx of the test", "bad", "check the token")
          .message()
          .doesNotContain(TOKEN);
    }
  }

  @Test
  void query_refused_saysWhy() {
    server.next(
        (memory, out) ->
            out.error(
                CallStatus.INVALID_ARGUMENT
                    .withDescription("Error during planning: table 'public.iox.m' not found")
                    .toRuntimeException()));

    assertThatThrownBy(this::ask)
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContainingAll("influx of the test", "table 'public.iox.m' not found");
  }

  @Test
  void query_busyOrBrokenServer_isUnavailable() {
    for (CallStatus status :
        List.of(CallStatus.RESOURCE_EXHAUSTED, CallStatus.INTERNAL, CallStatus.UNAVAILABLE)) {
      server.next((memory, out) -> out.error(status.toRuntimeException()));
      assertThatThrownBy(this::ask)
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("influx of the test");
    }
  }

  @Test
  void query_errorAfterData_isNotKept() throws Exception {
    server.next(
        (memory, out) -> {
          batch(out, times(memory, 0), floats(memory, 1.5));
          out.error(CallStatus.INTERNAL.withDescription("disk gone").toRuntimeException());
        });

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("disk gone");
    assertNothingKept();
  }

  @Test
  void query_silentServer_endsByTheLimit() throws Exception {
    server.next((memory, out) -> server.stay(out));

    assertThatThrownBy(() -> ask(impatient))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("PT0.5S");
    assertThat(server.wasCancelled()).isTrue();
  }

  @Test
  void query_silentInMidAnswer_endsByTheLimitAndIsNotKept() throws Exception {
    server.next(
        (memory, out) -> {
          batch(out, times(memory, 0), floats(memory, 1.5));
          server.stay(out);
        });

    assertThatThrownBy(() -> ask(impatient))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("PT0.5S");
    assertThat(server.wasCancelled()).isTrue();
    server.next(ArrowBatches::good);
    assertThat(ask(impatient).fetched()).isEqualTo(2);
  }

  @Test
  void query_connectionLostInMidAnswer_isUnavailable() throws Exception {
    CountDownLatch half = new CountDownLatch(1);
    server.next(
        (memory, out) -> {
          batch(out, times(memory, 0), floats(memory, 1.5));
          half.countDown();
          server.stay(out);
        });
    try (FaultProxy proxy = FaultProxy.to("127.0.0.1", server.port());
        TimeSeries over =
            TimeSeries.builder()
                .backend(
                    Influx3Backend.builder("http://127.0.0.1:" + proxy.port(), "vitals").build())
                .build()) {
      CompletableFuture<Throwable> failure =
          CompletableFuture.supplyAsync(() -> catchThrowable(() -> ask(over)));
      assertThat(half.await(30, TimeUnit.SECONDS)).isTrue();

      proxy.reset();

      assertThat(failure.get(30, TimeUnit.SECONDS)).isInstanceOf(UnavailableException.class);
      proxy.refuse();
      assertThatThrownBy(() -> ask(over)).isInstanceOf(UnavailableException.class);
    }
  }

  @Test
  void query_answerLargerThanAllowed_isRefusedAndEndsTheCall() throws Exception {
    try (Influx3Backend small =
            builder().timeout(Duration.ofSeconds(30)).maxBytes(1 << 16).build();
        TimeSeries other = TimeSeries.builder().backend(small).build()) {
      server.next(
          (memory, out) -> {
            try (VectorSchemaRoot root =
                VectorSchemaRoot.of(
                    times(memory, new long[1_000]), floats(memory, new double[1_000]))) {
              out.start(root);
              for (int i = 0; i < 20; i++) {
                out.putNext();
              }
            }
            server.stay(out);
          });

      assertThatThrownBy(
              () -> Tenant.of("t1").call(() -> other.queryUncached(query(Aggregate.MAX))))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining("maxBytes");
      assertThat(server.wasCancelled()).isTrue();

      server.next(
          (memory, out) ->
              answer(out, times(memory, new long[10_000]), floats(memory, new double[10_000])));
      assertThatThrownBy(
              () -> Tenant.of("t1").call(() -> other.queryUncached(query(Aggregate.MAX))))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("maxBytes");
    }
  }

  @Test
  void query_otherAnswer_isAnError() {
    List<FlightAnswers.Answer> answers = new ArrayList<>();
    answers.add((memory, out) -> answer(out, times(memory, 0)));
    answers.add((memory, out) -> answer(out, floats(memory, 1)));
    answers.add((memory, out) -> answer(out, longs(memory, "w", 1), floats(memory, 1)));
    answers.add((memory, out) -> answer(out, times(memory, 0), texts(memory, "a")));
    answers.add((memory, out) -> answer(out, times(memory, 0), bits(memory)));
    answers.add(
        (memory, out) -> {
          TimeStampNanoVector none = times(memory, 0);
          none.setNull(0);
          answer(out, none, floats(memory, 1));
        });
    // A window that was not asked for.
    answers.add((memory, out) -> answer(out, times(memory, 180_000_000_000L), floats(memory, 1)));
    for (FlightAnswers.Answer answer : answers) {
      server.next(answer);
      assertThatThrownBy(this::ask)
          .as("answer %d", answers.indexOf(answer))
          .isInstanceOf(AquiferException.class);
    }
  }

  @Test
  void query_interrupted_isUnavailableAndStaysInterrupted() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    server.next(
        (memory, out) -> {
          asked.countDown();
          server.stay(out);
        });
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                ask();
                interrupted.complete(false);
              } catch (UnavailableException e) {
                interrupted.complete(Thread.currentThread().isInterrupted());
              } catch (Exception e) {
                interrupted.completeExceptionally(e);
              }
            });
    caller.start();
    assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();

    caller.interrupt();

    assertThat(interrupted.get(30, TimeUnit.SECONDS)).isTrue();
    assertThat(server.wasCancelled()).isTrue();
  }

  @Test
  void close_whileACallIsUnderWay_endsIt() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    Influx3Backend slow = builder().timeout(Duration.ofMinutes(1)).build();
    server.next(
        (memory, out) -> {
          asked.countDown();
          server.stay(out);
        });
    CompletableFuture<Throwable> failure =
        CompletableFuture.supplyAsync(() -> catchThrowable(() -> slow.fetch(request(), sink())));
    assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();

    slow.close();

    assertThat(failure.get(30, TimeUnit.SECONDS))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> slow.fetch(request(), sink()))
        .isInstanceOf(IllegalStateException.class);
    // A client that was given goes on.
    server.next(ArrowBatches::good);
    assertThat(ask().series()).hasSize(1);
  }

  @Test
  void build_contradictions_areRefused() {
    assertThatThrownBy(() -> Influx3Backend.builder(client, "vitals").token("t"))
        .isInstanceOf(ConfigurationException.class);
    for (String url : List.of("http://u:p@host", "http://host/base", "grpc://host", "host")) {
      assertThatThrownBy(() -> Influx3Backend.builder(url, "vitals"))
          .as(url)
          .isInstanceOf(ConfigurationException.class);
    }
    assertThatThrownBy(() -> builder().maxBytes(1)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Influx3Backend.builder("http://host", "v").token("a b"))
        .isInstanceOf(ConfigurationException.class)
        .message()
        .doesNotContain("a b");
  }

  private void assertNothingKept() throws Exception {
    server.next(ArrowBatches::good);
    assertThat(ask().fetched()).isEqualTo(2);
  }

  private TimeSeriesResult ask() throws Exception {
    return ask(series);
  }

  private static TimeSeriesResult ask(TimeSeries series) throws Exception {
    return Tenant.of("t1").call(() -> series.query(query(Aggregate.MAX)));
  }

  private Object value(Aggregate aggregate) throws Exception {
    return Tenant.of("t1")
        .call(() -> series.queryUncached(query(aggregate)))
        .series()
        .get(0)
        .columns()
        .get(0)
        .valueAt(0);
  }

  private static TimeSeriesQuery query(Aggregate aggregate) {
    return TimeSeriesQuery.builder("m")
        .select(aggregate, "value")
        .every(Duration.ofMinutes(1))
        .range(Instant.EPOCH, Instant.EPOCH.plusSeconds(120))
        .build();
  }

  private static FetchRequest request() {
    return new FetchRequest(
        query(Aggregate.MAX),
        "tenant",
        Tenant.of("t1"),
        List.of(Stretches.of(query(Aggregate.MAX), MINUTE)),
        false,
        Duration.ofMinutes(1));
  }

  private static RowSink sink() {
    return new Assembly(
        WindowGrid.of(query(Aggregate.MAX).window(), MINUTE, QueryLimits.defaults(), 1),
        query(Aggregate.MAX),
        new PointBudget(Tenant.of("t1"), 1));
  }
}
