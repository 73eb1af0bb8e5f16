package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.tsquery.flux.BrokenAnswerException;
import dev.aquifer.tsquery.flux.FluxColumn;
import dev.aquifer.tsquery.flux.FluxCsv;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FluxAnswersTest {
  private static final String ANSWER =
      """
      #datatype,string,long,dateTime:RFC3339,double,string
      #group,false,false,false,false,true
      #default,_result,,,,
      ,result,table,_time,_value,device
      ,,0,2026-03-01T00:00:00Z,61.5,d1
      ,,0,2026-03-01T00:00:00.000000001Z,,d1
      ,,1,2026-03-01T00:00:00Z,72,d2

      """;

  private final Map<String, Points> plotted = new TreeMap<>();
  private final Plot plot = name -> plotted.computeIfAbsent(name, each -> new Points());
  private Points series = new Points();

  private interface Plot {
    Points series(String name);
  }

  private static final class Points extends TreeMap<Long, Double> {
    private static final long serialVersionUID = 1L;

    void add(long nanos, double value) {
      put(nanos, value);
    }
  }

  private static InputStream body(String answer) {
    return new ByteArrayInputStream(answer.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void read() throws IOException {
    draw(body(ANSWER));

    assertThat(plotted).containsOnlyKeys("d1", "d2");
    assertThat(plotted.get("d1")).isEqualTo(Map.of(1_772_323_200_000_000_000L, 61.5));
    assertThat(plotted.get("d2")).isEqualTo(Map.of(1_772_323_200_000_000_000L, 72.0));
    assertThatThrownBy(() -> draw(body(ANSWER.stripTrailing())))
        .isInstanceOf(BrokenAnswerException.class);
  }

  private void draw(InputStream body) throws IOException {
    // snippet: flux-answer
    FluxCsv.read(
        body,
        chunk -> {
          if (chunk.startsTable()) {
            series = plot.series(chunk.column("device").textAt(0)); // grouped: the same in each row
          }
          long[] times = chunk.column("_time").longs(); // nanoseconds since the epoch
          FluxColumn values = chunk.column("_value");
          for (int row = 0; row < chunk.rows(); row++) {
            if (!values.isNull(row)) {
              series.add(times[row], values.doubleAt(row));
            }
          }
        });
    // end
  }
}
