package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is made of the answers to reads that compute more than a function of the storage. */
class FluxAggregatesTest {
  private final HttpAnswers server = new HttpAnswers();
  private final TimeSeries series =
      TimeSeries.builder()
          .backend(FluxBackend.builder(server.url(), "org", "vitals").build())
          .build();

  @AfterEach
  void stop() {
    series.close();
    server.close();
  }

  @Test
  void query_deviationsAndMeans_areMadeOfTheirSums() throws Exception {
    server.next(200, counted("0.0", "double", 21.125, 0) + counted("1.0", "long", 1.5, 7));

    Series answer =
        answer(minutes().select(Aggregate.STDDEV, "value").select(Aggregate.MEAN, "value"));

    assertThat(answer.columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(Math.sqrt(21.125), 0.75);
    assertThat(answer.columns()).extracting(column -> column.valueAt(1)).containsExactly(null, 7.0);
    assertThat(server.last().body()).contains("import \\\"types\\\"");
  }

  @Test
  void query_quantilesAndNumbers_areTakenAsTheyAre() throws Exception {
    server.next(
        200,
        values("0.0", "double", "4", "-0")
            + values("1.0", "long", "2", "1")
            + values("2.0", "double", "0.5", "7")
            + values("2.0.n", "double", "1", "7"));

    Series answer =
        answer(
            minutes()
                .select(Selection.quantile(0.9, "value"))
                .select(Aggregate.DISTINCT, "value")
                .select(Aggregate.MEDIAN, "value")
                .fill(Fill.nulls()));

    assertThat(answer.columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(4.0, 2L, 0.75);
    assertThat(answer.columns())
        .extracting(column -> column.valueAt(1))
        .containsExactly(0.0, 1L, 7.0);
    assertThat(server.last().body())
        .contains("quantile(q: params.p4", "{\"type\":\"FloatLiteral\",\"value\":0.9}");
  }

  @Test
  void query_medianOfWholeNumbers_isTheMeanOfTheTwoInTheMiddle() throws Exception {
    server.next(200, values("0.0", "long", "-3", "5") + values("0.0.n", "unsignedLong", "4", "5"));

    Series answer = answer(minutes().select(Aggregate.MEDIAN, "value"));

    assertThat(answer.columns().get(0).kind()).isEqualTo(ValueKind.DOUBLE);
    assertThat(answer.columns().get(0).valueAt(0)).isEqualTo(0.5);
    assertThat(answer.columns().get(0).valueAt(1)).isEqualTo(5.0);
  }

  /** The server sends its results in no order. */
  @Test
  void query_meanAndMedianWhoseHalvesComeInTurns_joinsEachToItsOwn() throws Exception {
    server.next(
        200,
        values("0.0", "long", "-98", "6")
            + values("1.0", "long", "-98", "2")
            + values("1.0.n", "long", "-98", "4")
            + values("0.0.n", "long", "1", "2"));

    TimeSeriesQuery query =
        minutes().select(Aggregate.MEAN, "value").select(Aggregate.MEDIAN, "value").build();

    try (TimeSeries whole =
        TimeSeries.builder()
            .backend(
                FluxBackend.builder(server.url(), "org", "vitals").integers("m", "value").build())
            .build()) {
      List<ValueColumn> columns =
          Tenant.of("t1").call(() -> whole.queryUncached(query)).series().get(0).columns();

      assertThat(columns).extracting(column -> column.valueAt(0)).containsExactly(-98.0, -98.0);
      assertThat(columns).extracting(column -> column.valueAt(1)).containsExactly(3.0, 3.0);
    }
  }

  @Test
  void query_rangeInOneWindow_takesValuesWithoutTimes() throws Exception {
    String one =
        """
        #datatype,string,long,long,string
        #group,false,false,false,true
        #default,%s,,,
        ,result,table,_value,_field
        ,,0,%d,value

        """
            .replace("\n", "\r\n");
    server.next(200, one.formatted("0.0", 7) + one.formatted("1.0", 3) + one.formatted("1.0.n", 4));

    Series answer =
        answer(
            minutes()
                .select(Aggregate.MAX, "value")
                .select(Aggregate.MEDIAN, "value")
                .every(Duration.ofHours(1))
                .range(Instant.ofEpochSecond(3_660), Instant.ofEpochSecond(7_200)));

    assertThat(answer.start(0)).isEqualTo(Instant.ofEpochSecond(3_600));
    assertThat(answer.columns()).extracting(column -> column.valueAt(0)).containsExactly(7L, 3.5);
  }

  @Test
  void query_numbersOfPointsOfAnotherType_areUnexpected() {
    server.next(200, counted("0.0", "string", 1, 2));

    assertThatThrownBy(() -> answer(minutes().select(Aggregate.MEAN, "value")))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("numbers of points of type string, which was not asked for");
  }

  @Test
  void query_medianOfTexts_saysThatItCannot() {
    server.next(200, values("0.0", "string", "a", "b"));

    assertThatThrownBy(() -> answer(minutes().select(Aggregate.MEDIAN, "value")))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("median(value) cannot be computed: the field is string");
  }

  @Test
  void query_quantileOfTexts_saysThatItCannot() {
    server.next(200, values("0.0", "string", "a", "b"));

    assertThatThrownBy(() -> answer(minutes().select(Selection.quantile(0.9, "value"))))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("quantile(0.9, value) cannot be computed: the field is string");
  }

  /** The server's own word on a text to average; so is that on one to tell the deviation of. */
  @Test
  void query_deviationOfTexts_saysThatItCannot() {
    String failed =
        """
        #datatype,string,string
        #group,true,true
        #default,,
        ,error,reference
        ,a field is no number,

        """;
    server.next(200, failed.replace("\n", "\r\n"));

    assertThatThrownBy(() -> answer(minutes().select(Aggregate.STDDEV, "value")))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("a field is no number");
  }

  private static String counted(String result, String number, double first, double second) {
    return """
    #datatype,string,long,dateTime:RFC3339,double,%s,string
    #group,false,false,true,false,false,true
    #default,%s,,,,,
    ,result,table,_start,_value,n,_field
    ,,0,1970-01-01T00:00:00Z,%s,2,value
    ,,1,1970-01-01T00:01:00Z,%s,1,value

    """
        .formatted(number, result, first, second)
        .replace("\n", "\r\n");
  }

  private static String values(String result, String type, String first, String second) {
    return """
    #datatype,string,long,dateTime:RFC3339,%s,string
    #group,false,false,false,false,true
    #default,%s,,,,
    ,result,table,_time,_value,_field
    ,,0,1970-01-01T00:00:00Z,%s,value
    ,,0,1970-01-01T00:01:00Z,%s,value

    """
        .formatted(type, result, first, second)
        .replace("\n", "\r\n");
  }

  private Series answer(TimeSeriesQuery.Builder query) throws Exception {
    TimeSeriesResult result = Tenant.of("t1").call(() -> series.query(query.build()));
    assertThat(result.series()).hasSize(1);
    return result.series().get(0);
  }

  private static TimeSeriesQuery.Builder minutes() {
    return TimeSeriesQuery.builder("m")
        .every(Duration.ofMinutes(1))
        .range(Instant.EPOCH, Instant.ofEpochSecond(120));
  }
}
