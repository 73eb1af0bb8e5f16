package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FluxCsvTest {
  private static final String HEAD =
      """
      #datatype,string,long,dateTime:RFC3339,double,string
      #group,false,false,false,false,true
      #default,_result,,,,
      ,result,table,_time,_value,device
      """;

  private static List<AnswerTable> tables(String body) {
    return tables(new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
  }

  private static List<AnswerTable> tables(InputStream body) {
    AnswerTable.Collector collector = new AnswerTable.Collector();
    try {
      FluxCsv.read(body, collector);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return collector.tables;
  }

  @Test
  void read_ofEveryRecordedAnswer_isWhatItSays() {
    Map<String, byte[]> answers = RecordedAnswers.all();
    assertThat(answers).hasSizeGreaterThan(200);
    answers.forEach(
        (name, body) -> {
          try {
            assertThat(tables(new ByteArrayInputStream(body)))
                .as(name)
                .isEqualTo(PlainAnswer.read(body));
          } catch (FailedScriptException e) {
            assertThat(name).isEqualTo("error-after-data.csv");
          }
        });
  }

  @Test
  void read_byteByByte_isTheSame() {
    RecordedAnswers.all()
        .forEach(
            (name, body) -> {
              if (!name.equals("error-after-data.csv")) {
                assertThat(tables(new PiecewiseStream(body, () -> 1)))
                    .as(name)
                    .isEqualTo(tables(new ByteArrayInputStream(body)));
              }
            });
  }

  @Test
  void read_ofRecordedAnswerWithErrorAfterData_givesTheRowsThenTheError() throws IOException {
    byte[] body = RecordedAnswers.all().get("error-after-data.csv");
    AnswerTable.Collector collector = new AnswerTable.Collector();
    FailedScriptException failed =
        catchThrowableOfType(
            FailedScriptException.class,
            () -> FluxCsv.read(new ByteArrayInputStream(body), collector));
    assertThat(failed.reason())
        .isEqualTo(
            "runtime error @4:157-4:246: map: failed to evaluate map function: late failure");
    assertThat(failed.reference()).isEmpty();
    assertThat(failed).hasMessageContaining("late failure");
    assertThat(collector.tables).hasSize(1);
    assertThat(collector.tables.get(0).result()).isEqualTo("first");
    assertThat(collector.tables.get(0).rows()).hasSize(3);
  }

  @Test
  void read_ofRecordedAnswers_hasTheirValues() {
    Map<String, byte[]> answers = RecordedAnswers.all();
    List<AnswerTable> infinite =
        tables(new ByteArrayInputStream(answers.get("stage-map-infinite.csv")));
    AnswerTable first = infinite.get(0);
    List<Object> row = first.rows().get(0);
    assertThat(row.get(first.labels().indexOf("_value"))).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(row.get(first.labels().indexOf("neg"))).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(row.get(first.labels().indexOf("nan"))).isEqualTo(Double.NaN);

    List<AnswerTable> mixed =
        tables(new ByteArrayInputStream(answers.get("stage-mixed-types-raw.csv")));
    assertThat(mixed.stream().map(t -> t.types().get(t.labels().indexOf("_value"))).distinct())
        .containsExactlyInAnyOrder(
            FluxType.DOUBLE,
            FluxType.TEXT,
            FluxType.UNSIGNED_LONG,
            FluxType.LONG,
            FluxType.BOOLEAN);
    AnswerTable note = mixed.get(1);
    assertThat(note.rows().stream().map(r -> r.get(note.labels().indexOf("_value"))))
        .containsExactly(null, "quote \" here", "comma, and\nline");
    assertThat(note.rows().get(0).get(note.labels().indexOf("_time")))
        .isEqualTo(1_772_323_257_999_999_999L);
  }

  @Test
  void read_ofSeveralResultsAndSchemas_tellsThemApart() {
    List<AnswerTable> tables =
        tables(
            HEAD
                + """
                ,,0,2026-03-01T00:00:00Z,1,a
                ,,0,2026-03-01T00:01:00Z,2,a
                ,,1,2026-03-01T00:00:00Z,3,b
                ,other,1,2026-03-01T00:00:00Z,4,b

                #group,false,false,true
                #datatype,string,long,boolean
                #default,second,0,true
                ,result,table,ok
                ,,,
                ,,,

                """);
    assertThat(tables.stream().map(AnswerTable::result))
        .containsExactly("_result", "_result", "other", "second");
    assertThat(tables.stream().map(AnswerTable::id)).containsExactly(0L, 1L, 1L, 0L);
    assertThat(tables.stream().map(AnswerTable::key))
        .containsExactly(List.of("a"), List.of("b"), List.of("b"), List.of(true));
    assertThat(tables.get(3).rows()).containsExactly(List.of(true), List.of(true));
  }

  @Test
  void read_ofTableWithoutRows_givesItsKey() throws IOException {
    String body =
        """
        #datatype,string,long,dateTime:RFC3339,double,string,long
        #group,false,false,true,false,true,true
        #default,_result,7,2026-03-01T00:00:00Z,,d1,
        ,result,table,_start,_value,device,none

        """;
    List<Integer> rows = new ArrayList<>();
    FluxCsv.read(
        new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)),
        chunk -> {
          rows.add(chunk.rows());
          assertThat(chunk.startsTable()).isTrue();
          assertThat(chunk.table()).isEqualTo(7);
          assertThat(chunk.column("device").textAt(0)).isEqualTo("d1");
          assertThat(chunk.column("_start").longAt(0)).isEqualTo(1_772_323_200_000_000_000L);
          assertThat(chunk.column("none").isNull(0)).isTrue();
        });
    assertThat(rows).containsExactly(0);
  }

  @Test
  void chunk_ofLargeTable_comesInPartsWithItsKey() throws IOException {
    StringBuilder body = new StringBuilder(HEAD);
    int rows = 5_000;
    for (int i = 0; i < rows; i++) {
      body.append(",,0,2026-03-01T00:00:00Z,").append(i % 100 == 7 ? "" : i).append(",a\n");
    }
    List<Integer> sizes = new ArrayList<>();
    FluxCsv.read(
        new ByteArrayInputStream(body.append('\n').toString().getBytes(StandardCharsets.UTF_8)),
        chunk -> {
          int before = sizes.stream().mapToInt(i -> i).sum();
          assertThat(chunk.startsTable()).isEqualTo(before == 0);
          FluxColumn values = chunk.column("_value");
          for (int i = 0; i < chunk.rows(); i++) {
            assertThat(values.isNull(i)).isEqualTo((before + i) % 100 == 7);
            assertThat(values.doubleAt(i)).isEqualTo(values.isNull(i) ? 0 : before + i);
            assertThat(chunk.column("device").textAt(i)).isEqualTo("a");
          }
          sizes.add(chunk.rows());
        });
    assertThat(sizes).hasSizeGreaterThan(3);
    assertThat(sizes.stream().mapToInt(i -> i).sum()).isEqualTo(rows);
  }

  @Test
  void textAt_ofEqualTexts_isOneObject() throws IOException {
    String body = HEAD + ",,0,,,a\n,,1,,,b\n,,2,,,a\n\n";
    List<String> texts = new ArrayList<>();
    FluxCsv.read(
        new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)),
        chunk -> texts.add(chunk.column("device").textAt(0)));
    assertThat(texts).containsExactly("a", "b", "a");
    assertThat(texts.get(0)).isSameAs(texts.get(2));
  }

  @Test
  void column_ofWrongNameOrType_isRefused() {
    String body = HEAD + ",,0,,,a\n\n";
    assertThatThrownBy(() -> read(body, chunk -> chunk.column("nosuch")))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("'nosuch'");
    assertThatThrownBy(() -> read(body, chunk -> chunk.column("_time").doubles()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("'_time' is of type dateTime:RFC3339, not a double");
    assertThatThrownBy(() -> read(body, chunk -> chunk.column("_value").longAt(0)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> read(body, chunk -> chunk.column("_value").textAt(0)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> read(body, chunk -> chunk.column("_value").booleanAt(0)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> read(body, chunk -> chunk.column("_value").bytesAt(0)))
        .isInstanceOf(IllegalStateException.class);
  }

  private static void read(String body, FluxSink sink) throws IOException {
    FluxCsv.read(new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)), sink);
  }

  @Test
  void read_ofWhatIsNoWholeAnswer_isAnError() {
    String row = ",,0,2026-03-01T00:00:00Z,1,a\n";
    broken("", "ended before the empty line");
    broken(HEAD, "ended before the empty line");
    broken(HEAD + row, "ended before the empty line");
    broken(HEAD + row + ",,0", "ended in the middle");
    broken(HEAD + row + "\r", "ended in the middle");
    broken(HEAD + ",,0,2026-03-01T00:00:00Z,1,\"a\n\n", "ended in the middle");
    broken(HEAD + "\n", "without a number");
    broken(HEAD + ",,0,2026-03-01T00:00:00Z,1\n\n", "fewer cells");
    broken(HEAD + ",,0,2026-03-01T00:00:00Z,1,a,b\n\n", "more cells");
    broken(HEAD + ",,,2026-03-01T00:00:00Z,1,a\n\n", "number of its table");
    broken(HEAD + row + ",,0,2026-03-01T00:00:00Z,1,b\n\n", "'device' changes within a table");
    broken(HEAD + ",,0,2026-03-01,1,a\n\n", "'_time' is no dateTime:RFC3339");
    broken(HEAD + ",,0,,1d,a\n\n", "'_value' is no double");
    broken(HEAD + ",,0,,,\"a\"b\n\n", "after the quotes");
    broken(HEAD + ",,0,,,a\"b\n\n", "a quote in a cell");
    broken(HEAD + ",,0,,,a\rb\n\n", "carriage return");
    broken(HEAD + "x,,0,,,a\n\n", "begins with a value");
    broken(HEAD + "\n,,0,,,a\n\n", "without a number");
    broken(HEAD + row + "\n" + row + "\n", "no #datatype");
    broken("<html>\n\n", "a row of one cell");
    broken(",result,table\n\n", "no #datatype");
    broken("#datatype,string,long\n\n", "an empty line where");
    broken("#datatype,string,long\n#datatype,string,long\n", "a second #datatype");
    broken("#datatype,string,long,x\n,result,table,a\n", "not known: 'x'");
    broken("#datatype,string,long\n,result,table,a\n", "differ in length");
    broken("#datatype,string,long\n,result,tables\n", "without 'result' and 'table'");
    broken("#datatype,string,long,long,long\n,result,table,a,a\n", "two columns 'a'");
    broken("#datatype,string\n#group,yes\n,result\n", "without 'result' and 'table'");
    broken("#datatype,string,long,long\n#group,,,1\n,result,table,a\n", "neither true nor false");
    broken("#datatype,string,string\n,error,reference\n", "ended before the empty line");
    broken("#datatype,string,string\n,error,reference\n\n", "an empty line where");
    BrokenAnswerException broken = broken(HEAD + row + ",,0,x,1,a\n\n", "no dateTime");
    assertThat(broken.row()).isEqualTo(6);
    assertThat(broken).hasMessageStartingWith("Flux answer, row 6: ").hasNoCause();
  }

  @Test
  void read_ofNoUtf8_isAnError() {
    byte[] body = (HEAD + ",,0,,,?\n\n").getBytes(StandardCharsets.UTF_8);
    body[body.length - 3] = (byte) 0xff;
    assertThatThrownBy(() -> tables(new ByteArrayInputStream(body)))
        .isInstanceOf(BrokenAnswerException.class)
        .hasMessageContaining("'device' is no string");
  }

  private static BrokenAnswerException broken(String body, String reason) {
    BrokenAnswerException broken =
        catchThrowableOfType(BrokenAnswerException.class, () -> tables(body));
    assertThat(broken).as(body).isNotNull().hasMessageContaining(reason);
    return broken;
  }

  @Test
  void read_ofErrorBeforeAnyData_isTheError() {
    FailedScriptException failed =
        catchThrowableOfType(
            FailedScriptException.class,
            () -> tables(",error,reference\r\n,\"two\r\nlines, \"\"quoted\"\"\",897\r\n"));
    assertThat(failed.reason()).isEqualTo("two\nlines, \"quoted\"");
    assertThat(failed.reference()).isEqualTo("897");
    assertThat(failed.getMessage()).doesNotContain("\n");
  }

  @Test
  void read_ofLessAnnotations_hasNoKeyAndNoDefaults() {
    List<AnswerTable> tables =
        tables("#datatype,string,long,long\n,result,table,a\n,r,0,1\n,r,1,\n\n");
    assertThat(tables).hasSize(2);
    assertThat(tables.get(0).grouped()).containsExactly(false);
    assertThat(tables.get(1).rows()).containsExactly(Arrays.asList((Object) null));
  }

  @Test
  void read_ofMoreThanTheLimits_isRefusedInTime() {
    FluxCsvLimits limits = new FluxCsvLimits(100, 10, 1_000);
    byte[] head = HEAD.getBytes(StandardCharsets.UTF_8);
    refused(new Endless(head, ",,0,,,a\n"), limits, "more than 100 rows");
    refused(new Endless(head, "a"), limits, "Row 5 of the answer has more than 1,000 bytes");
    byte[] quote = (HEAD + ",,0,,,\"").getBytes(StandardCharsets.UTF_8);
    refused(new Endless(quote, "\n"), limits, "more than 1,000 bytes");
    refused(new Endless(new byte[0], "#datatype,"), limits, "more than 10 columns");
    refused(new Endless(head, "a"), FluxCsvLimits.defaults(), "more than 4,194,304 bytes");
    refused(new Endless(head, "a,"), FluxCsvLimits.defaults(), "begins with a value");
    refused(new Endless(head, ",,0,,,a\n"), FluxCsvLimits.defaults(), "more than 10,000,000 rows");
  }

  private static void refused(InputStream body, FluxCsvLimits limits, String reason) {
    assertThatThrownBy(() -> FluxCsv.read(body, limits, chunk -> {}))
        .isInstanceOfAny(RefusedQueryException.class, BrokenAnswerException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void limits_outsideTheirRanges_areRefused() {
    assertThat(FluxCsvLimits.defaults()).isEqualTo(new FluxCsvLimits(10_000_000, 4_096, 1 << 22));
    for (Runnable wrong :
        List.<Runnable>of(
            () -> new FluxCsvLimits(0, 1, 1),
            () -> new FluxCsvLimits(1, 0, 1),
            () -> new FluxCsvLimits(1, 100_001, 1),
            () -> new FluxCsvLimits(1, 1, 0),
            () -> new FluxCsvLimits(1, 1, 1 << 29))) {
      assertThatThrownBy(wrong::run).isInstanceOf(ConfigurationException.class);
    }
  }

  @Test
  void read_whenSinkOrBodyFails_isTheirs() {
    IllegalStateException own = new IllegalStateException("enough");
    assertThatThrownBy(
            () ->
                read(
                    HEAD + ",,0,,,a\n\n",
                    chunk -> {
                      throw own;
                    }))
        .isSameAs(own);
    IOException gone = new IOException("gone");
    InputStream body =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw gone;
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            throw gone;
          }
        };
    assertThatThrownBy(() -> FluxCsv.read(body, chunk -> {})).isSameAs(gone);
  }

  /** A head, then the same for ever. */
  private static final class Endless extends InputStream {
    private final byte[] head;
    private final byte[] rest;
    private long at;

    Endless(byte[] head, String rest) {
      this.head = head;
      this.rest = rest.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int read() {
      byte next =
          at < head.length ? head[(int) at] : rest[(int) ((at - head.length) % rest.length)];
      at++;
      return next;
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      for (int i = 0; i < length; i++) {
        into[offset + i] = (byte) read();
      }
      return length;
    }
  }
}
