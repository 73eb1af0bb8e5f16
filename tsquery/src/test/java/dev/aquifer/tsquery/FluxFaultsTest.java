package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.influxdb.client.InfluxDBClient;
import com.influxdb.client.InfluxDBClientFactory;
import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers good and bad, over real HTTP. None of the bad ones may be kept. */
@ParameterizedClass
@EnumSource(FluxFaultsTest.Way.class)
class FluxFaultsTest {
  private static final String TOKEN = "s3cret-of-the-test";
  private static final String GOOD =
      """
      #datatype,string,long,dateTime:RFC3339,double,string
      #group,false,false,false,false,true
      #default,0.0,,,,
      ,result,table,_time,_value,_field
      ,,0,1970-01-01T00:00:00Z,1.5,value
      ,,0,1970-01-01T00:01:00Z,2,value

      """
          .replace("\n", "\r\n");

  /** How requests travel. */
  enum Way {
    OWN,
    CLIENT
  }

  private final HttpAnswers server = new HttpAnswers();
  private final InfluxDBClient client =
      InfluxDBClientFactory.create(server.url(), TOKEN.toCharArray());
  private final Way way;
  private final TimeSeries series;

  FluxFaultsTest(Way way) {
    this.way = way;
    // Longer than any answer takes, however busy the machine is.
    this.series = series(Duration.ofMinutes(1));
  }

  private TimeSeries series(Duration limit) {
    FluxBackend.Builder builder =
        way == Way.OWN
            ? FluxBackend.builder(server.url() + "/base/", "my org", "vitals").token(TOKEN)
            : InfluxClientBackend.builder(client, "my org", "vitals");
    return TimeSeries.builder()
        .backend(builder.name("influx of the test").timeout(limit).build())
        .timeout(Duration.ofMinutes(2))
        .build();
  }

  @AfterEach
  void stop() {
    series.close();
    client.close();
    server.close();
  }

  @Test
  void query_goodAnswer_isReadAndKept() throws Exception {
    server.next(200, GOOD);

    TimeSeriesResult result = ask();

    assertThat(result.series().get(0).columns().get(0).doubleAt(1)).isEqualTo(2.0);
    assertThat(result.bytes()).isEqualTo(GOOD.length());
    assertThat(ask().requests()).isZero();
    HttpAnswers.Request request = server.last();
    assertThat(request.path()).isEqualTo(way == Way.OWN ? "/base/api/v2/query" : "/api/v2/query");
    assertThat(request.query()).isIn("org=my org", "org=my+org");
    assertThat(request.authorization()).isEqualTo("Token " + TOKEN);
    assertThat(request.body())
        .contains("\"type\":\"flux\"")
        .contains("\"annotations\":[\"datatype\",\"group\",\"default\"]")
        .contains("r[\\\"tenant\\\"] == params.p1")
        .contains("\"extern\":{\"type\":\"File\"")
        .contains("{\"type\":\"StringLiteral\",\"value\":\"t1\"}");
  }

  @Test
  void queryAll_oneScript_isTakenApartAgain() throws Exception {
    server.next(200, GOOD + GOOD.replace("0.0,,,,", "1:0.0,,,,").replace("1.5", "7.5"));
    List<TimeSeriesQuery> queries = List.of(query(Aggregate.MAX), query(Aggregate.MIN));

    List<BatchAnswer> answers = Tenant.of("t1").call(() -> series.queryAll(queries));

    assertThat(answers.get(0).orThrow().series().get(0).columns().get(0).doubleAt(0))
        .isEqualTo(1.5);
    assertThat(answers.get(1).orThrow().series().get(0).columns().get(0).doubleAt(0))
        .isEqualTo(7.5);
    assertThat(answers.stream().mapToInt(each -> each.orThrow().requests()).sum()).isEqualTo(1);
    assertThat(server.last().body())
        .contains("yield(name: \\\"0.0\\\")", "yield(name: \\\"1:0.0\\\")");
  }

  @Test
  void query_compressedAnswer_isRead() throws Exception {
    client.enableGzip();
    server.nextZipped(GOOD);

    TimeSeriesResult result = ask();
    assertThat(result.series()).hasSize(1);
    // The application's client unpacks it before anybody can count.
    assertThat(result.bytes() == GOOD.length()).isEqualTo(way == Way.CLIENT);
  }

  @Test
  void query_nothingFound_isAnEmptyAnswer() throws Exception {
    server.next(200, "\r\n");

    assertThat(ask().series()).isEmpty();
  }

  @Test
  void query_wrongToken_saysSoWithoutIt() {
    server.next(401, "{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}");

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContainingAll("influx of the test", "unauthorized access", "check the token")
        .message()
        .doesNotContain(TOKEN);
  }

  @Test
  void query_unknownBucket_saysSo() {
    server.next(
        404,
        "{\"code\":\"not found\",\"message\":\"failed to initialize execute state: could not find"
            + " bucket \\\"vitals\\\"\"}");

    assertThatThrownBy(this::ask)
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContainingAll("HTTP 404", "could not find bucket", "organization and bucket");
  }

  @Test
  void query_refusedScript_saysWhy() {
    server.next(
        400,
        "{\"code\":\"invalid\",\"message\":\"unsupported input type for mean aggregate: string\"}");

    assertThatThrownBy(this::ask)
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("mean aggregate: string");
  }

  @Test
  void query_busyServer_isUnavailable() {
    for (int status : new int[] {429, 500, 503}) {
      server.next(status, "<html>busy</html>");
      assertThatThrownBy(this::ask)
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("HTTP " + status);
    }
  }

  @Test
  void query_errorAfterData_isNotKept() throws Exception {
    server.next(
        200,
        GOOD
            + "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n"
            + ",shard gone,897\r\n\r\n");

    assertThatThrownBy(this::ask)
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("shard gone");
    assertNothingKept();
  }

  @Test
  void query_brokenOffAnswer_isNotKept() throws Exception {
    String whole = GOOD.substring(0, GOOD.length() - 2);
    for (int length = 1; length < whole.length(); length += 5) {
      String part = whole.substring(0, length);
      server.next(200, part);
      assertThatThrownBy(this::ask).as(part).isInstanceOf(AquiferException.class);
    }
    assertNothingKept();
  }

  @Test
  void query_connectionLostInMidAnswer_isNotKept() throws Exception {
    server.next(
        exchange -> {
          exchange.sendResponseHeaders(200, GOOD.length() + 1L);
          exchange.getResponseBody().write(GOOD.getBytes(StandardCharsets.UTF_8));
        });

    assertThatThrownBy(this::ask).isInstanceOf(UnavailableException.class);
    assertNothingKept();
  }

  @Test
  void query_silentInMidAnswer_endsByTheLimit() throws Exception {
    server.nextSilentAfter(GOOD.substring(0, 200));

    assertEndsByTheLimit();
  }

  @Test
  void query_silentServer_endsByTheLimit() throws Exception {
    server.nextSilent();

    assertEndsByTheLimit();
  }

  private void assertEndsByTheLimit() throws Exception {
    try (TimeSeries hurried = series(Duration.ofMillis(500))) {
      assertThatThrownBy(() -> Tenant.of("t1").call(() -> hurried.query(query(Aggregate.MAX))))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("PT0.5S");
      assertThat(Tenant.of("t1").call(() -> hurried.explain(query(Aggregate.MAX))).cached())
          .isZero();
    }
  }

  @Test
  void query_otherAnswer_isAnError() {
    for (String answer :
        new String[] {
          "<html>hello</html>",
          "{\"results\":[]}",
          GOOD.replace("#default,0.0", "#default,other"),
          GOOD.replace("_time", "when"),
          GOOD.replace(",_field", ",tag"),
          GOOD.replace(",value\r\n", ",another\r\n"),
          GOOD.replace("dateTime:RFC3339", "string"),
          GOOD.replace("00:01:00Z", "00:03:00Z")
        }) {
      server.next(200, answer);
      assertThatThrownBy(this::ask).as(answer).isInstanceOf(AquiferException.class);
    }
  }

  @Test
  void query_means_areSumsByTheirCounts() throws Exception {
    server.next(200, summed("long", "10", "4"));
    assertThat(ask(Aggregate.MEAN).series().get(0).columns().get(0).doubleAt(0)).isEqualTo(2.5);

    server.next(200, summed("unsignedLong", "18446744073709551615", "2"));
    assertThat(ask(Aggregate.SUM).series().get(0).columns().get(0).doubleAt(0)).isEqualTo(0x1p64);

    server.next(200, summed("string", "a", "2"));
    assertThatThrownBy(
            () -> Tenant.of("t1").call(() -> series.queryUncached(query(Aggregate.MEAN))))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("sums of type string");
  }

  private static String summed(String type, String sum, String count) {
    return """
    #datatype,string,long,dateTime:RFC3339,%s,long,string
    #group,false,false,true,false,false,true
    #default,0.0,,,,,
    ,result,table,_start,_value,n,_field
    ,,0,1970-01-01T00:00:00Z,%s,%s,value

    """
        .formatted(type, sum, count)
        .replace("\n", "\r\n");
  }

  @Test
  void query_tagsToldOfAreNotAll_isAnError() throws Exception {
    Backend told = FluxBackend.builder(server.url(), "org", "vitals").tags("m", "device").build();
    server.next(200, GOOD.replace("00:01:00Z", "00:00:00Z"));
    try (TimeSeries other = TimeSeries.builder().backend(told).build()) {
      TimeSeriesQuery query =
          query(Aggregate.MAX).toBuilder().where(TagPredicate.eq("device", "d1")).build();
      assertThatThrownBy(() -> Tenant.of("t1").call(() -> other.query(query)))
          .isInstanceOf(AquiferException.class)
          .hasMessageContaining("tell of all its tags");
    }
  }

  @Test
  void query_closed_isRefused() {
    Backend own = FluxBackend.builder(server.url(), "org", "vitals").build();
    own.close();
    TimeRange second = new TimeRange(Instant.EPOCH, Instant.EPOCH.plusSeconds(1));
    FetchRequest request =
        new FetchRequest(
            query(Aggregate.MAX),
            "tenant",
            Tenant.of("t1"),
            List.of(Stretches.of(query(Aggregate.MAX), second)),
            false,
            Duration.ofSeconds(1));

    WindowGrid grid =
        WindowGrid.of(query(Aggregate.MAX).window(), second, QueryLimits.defaults(), 1);
    assertThatThrownBy(
            () ->
                own.fetch(
                    request,
                    new Assembly(grid, query(Aggregate.MAX), new PointBudget(Tenant.of("t1"), 1))))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void build_contradictions_areRefused() {
    FluxBackend.Builder over = InfluxClientBackend.builder(client, "org", "vitals");
    assertThatThrownBy(() -> over.token("t")).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> over.gzip(false)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> over.connectTimeout(Duration.ofSeconds(1)))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> FluxBackend.builder("http://u:p@host", "org", "b"))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> FluxBackend.builder("http://host", "org", "b").token("a b"))
        .isInstanceOf(ConfigurationException.class)
        .message()
        .doesNotContain("a b");
    assertThatThrownBy(() -> FluxBackend.builder("http://host", "org", "b").tags("m"))
        .isInstanceOf(ConfigurationException.class);
  }

  private void assertNothingKept() throws Exception {
    server.next(200, GOOD);
    assertThat(ask().fetched()).isEqualTo(2);
  }

  private TimeSeriesResult ask() throws Exception {
    return ask(Aggregate.MAX);
  }

  private TimeSeriesResult ask(Aggregate aggregate) throws Exception {
    return Tenant.of("t1").call(() -> series.query(query(aggregate)));
  }

  private static TimeSeriesQuery query(Aggregate aggregate) {
    return TimeSeriesQuery.builder("m")
        .select(aggregate, "value")
        .every(Duration.ofMinutes(1))
        .range(Instant.EPOCH, Instant.EPOCH.plusSeconds(120))
        .build();
  }
}
