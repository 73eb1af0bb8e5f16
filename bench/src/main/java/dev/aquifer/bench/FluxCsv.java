package dev.aquifer.bench;

import com.influxdb.Cancellable;
import com.influxdb.query.FluxRecord;
import com.influxdb.query.FluxTable;
import com.influxdb.query.internal.FluxCsvParser;
import dev.aquifer.tsquery.flux.FluxChunk;
import dev.aquifer.tsquery.flux.FluxColumn;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import okio.Okio;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A Flux answer of 20,000 rows is decoded, and time, value and a text of every row are looked at.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FluxCsv {
  private static final int ROWS = 20_000;
  private static final int WINDOWS = 48;
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

  /**
   * {@code windows}: means and counts of 416 series by the half-hour, as two results; {@code raw}:
   * one series of readings at irregular times; {@code texts}: a table of events, each with a
   * message of its own.
   */
  @Param({"windows", "raw", "texts"})
  public String answer;

  private byte[] body;

  /** Writes the answer as the server does. */
  @Setup(Level.Trial)
  public void write() {
    StringBuilder csv = new StringBuilder();
    Random random = new Random(1);
    switch (answer) {
      case "windows" -> {
        windows(csv, "mean", "double", random);
        windows(csv, "count", "long", random);
      }
      case "raw" -> raw(csv, random);
      default -> texts(csv, random);
    }
    body = csv.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void windows(StringBuilder csv, String result, String type, Random random) {
    String times = "dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,";
    csv.append("#datatype,string,long,").append(times).append(type);
    csv.append(",string,string,string,string\r\n");
    csv.append("#group,false,false,true,true,false,false,true,true,true,true\r\n");
    csv.append("#default,").append(result).append(",,,,,,,,,\r\n");
    csv.append(
        ",result,table,_start,_stop,_time,_value,_field,_measurement,destination,origin\r\n");
    for (int row = 0; row < ROWS / 2; row++) {
      int table = row / WINDOWS;
      Instant time = START.plusSeconds(1_800L * (row % WINDOWS + 1));
      csv.append(",,").append(table);
      csv.append(",2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,").append(time).append(',');
      if (type.equals("long")) {
        csv.append(random.nextInt(200));
      } else {
        csv.append((random.nextInt(40_000) - 5_000) / 10.0 / (1 + random.nextInt(60)));
      }
      csv.append(",delay,departure,D").append(table % 29).append(",O").append(table / 29);
      csv.append("\r\n");
    }
    csv.append("\r\n");
  }

  private static void raw(StringBuilder csv, Random random) {
    csv.append("#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double");
    csv.append(
        ",string,string,string\r\n#group,false,false,true,true,false,false,true,true,true\r\n");
    csv.append("#default,_result,,,,,,,,\r\n");
    csv.append(",result,table,_start,_stop,_time,_value,_field,_measurement,device\r\n");
    Instant time = START;
    for (int row = 0; row < ROWS; row++) {
      time = time.plusNanos(random.nextInt(2_000_000_000));
      csv.append(",,0,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,").append(time).append(',');
      csv.append((600 + random.nextInt(400)) / 10.0).append(",heart_rate,vitals,d1\r\n");
    }
    csv.append("\r\n");
  }

  private static void texts(StringBuilder csv, Random random) {
    csv.append("#datatype,string,long,dateTime:RFC3339,double,string,string,string,string\r\n");
    csv.append("#group,false,false,false,false,false,false,false,true\r\n");
    csv.append("#default,_result,,,,,,,\r\n");
    csv.append(",result,table,_time,_value,message,user,status,_measurement\r\n");
    for (int row = 0; row < ROWS; row++) {
      csv.append(",,0,").append(START.plusSeconds(row)).append(',').append(random.nextInt(1_000));
      csv.append(",\"Pump ").append(random.nextInt()).append(", line ").append(row);
      csv.append(": pressure \"\"high\"\"\",user-").append(random.nextInt(2_000));
      csv.append(random.nextBoolean() ? ",open" : ",closed").append(",events\r\n");
    }
    csv.append("\r\n");
  }

  /** Aquifer. */
  @Benchmark
  public double aquifer() throws IOException {
    double[] sum = new double[1];
    dev.aquifer.tsquery.flux.FluxCsv.read(
        new ByteArrayInputStream(body), chunk -> sum[0] += sum(chunk));
    return sum[0];
  }

  private double sum(FluxChunk chunk) {
    double sum = 0;
    long[] times = chunk.column("_time").longs();
    FluxColumn values = chunk.column("_value");
    FluxColumn text = chunk.column(answer.equals("texts") ? "message" : "_measurement");
    boolean whole = values.type() == dev.aquifer.tsquery.flux.FluxType.LONG;
    for (int row = 0; row < chunk.rows(); row++) {
      sum += (whole ? values.longAt(row) : values.doubleAt(row)) + times[row];
      sum += text.textAt(row).length();
    }
    return sum;
  }

  /** The parser of influxdb-client-java. */
  @Benchmark
  public double fluxCsvParser() throws IOException {
    InputStream in = new ByteArrayInputStream(body);
    Sum sum = new Sum(answer.equals("texts") ? "message" : "_measurement");
    new FluxCsvParser().parseFluxResponse(Okio.buffer(Okio.source(in)), new Never(), sum);
    return sum.sum;
  }

  private static final class Sum implements FluxCsvParser.FluxResponseConsumer {
    private final String text;
    private double sum;

    Sum(String text) {
      this.text = text;
    }

    @Override
    public void accept(int index, Cancellable cancellable, FluxTable table) {}

    @Override
    public void accept(int index, Cancellable cancellable, FluxRecord row) {
      Instant time = row.getTime();
      sum += ((Number) row.getValue()).doubleValue();
      sum += time.getEpochSecond() * 1e9 + time.getNano();
      sum += ((String) row.getValueByKey(text)).length();
    }
  }

  private static final class Never implements Cancellable {
    @Override
    public void cancel() {}

    @Override
    public boolean isCancelled() {
      return false;
    }
  }
}
