package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The reference, by which random schedules are judged, answers what a real InfluxDB 2.9 answered:
 * from the points alone, to the bit.
 */
class RecordedWindowsTest {
  private static final Set<String> GROUPS = Set.of("window", "edge", "calendar");

  @Test
  void reference_ofEveryRecordedWindow_isTheServersAnswer() {
    Map<String, byte[]> answers = RecordedAnswers.all();
    List<String> differing = new ArrayList<>();
    int compared = 0;
    for (Recorded.Case each : Recorded.scripts()) {
      if (!GROUPS.contains(each.group())) {
        continue;
      }
      byte[] body = answers.get(each.id().replace('/', '-') + ".csv");
      assertThat(body).as(each.id()).isNotNull();
      List<AnswerTable> tables = PlainAnswer.read(body);
      Map<Map<String, String>, List<ReferenceScript.Row>> expected = recorded(tables);
      Map<Map<String, String>, List<ReferenceScript.Row>> found =
          new ReferenceScript(each.flux()).answer();
      compared++;
      if (each.flux().contains("fn: skew") ? !nearly(found, expected) : !found.equals(expected)) {
        differing.add(each.id() + "\n  recorded  " + expected + "\n  reference " + found);
      }
    }
    assertThat(differing).isEmpty();
    assertThat(compared).isEqualTo(116);
  }

  @Test
  void within_ofFixedLengths_isTheSameOnTheClock() {
    for (long step : new long[] {1_000_000_000L, 7_000_000_001L, 90_000_000_000L}) {
      for (long period : new long[] {step, 2 * step + 3, step / 2}) {
        for (long offset : new long[] {0, 3, -step / 3, 5 * step + 1}) {
          ReferenceWindows windows =
              new ReferenceWindows(
                  ReferenceWindows.Length.nanos(step),
                  ReferenceWindows.Length.nanos(period),
                  ReferenceWindows.Length.nanos(offset),
                  ZoneOffset.UTC);
          for (long start : new long[] {-200_000_000_007L, 0, 1_772_323_200_000_000_001L}) {
            assertThat(windows.within(start, start + 300_000_000_000L))
                .isNotEmpty()
                .isEqualTo(windows.onTheClock(start, start + 300_000_000_000L));
          }
        }
      }
    }
  }

  /** The skew has a power of 1.5, which Go rounds otherwise than the JDK. */
  private static boolean nearly(
      Map<Map<String, String>, List<ReferenceScript.Row>> found,
      Map<Map<String, String>, List<ReferenceScript.Row>> expected) {
    return rounded(found).equals(rounded(expected));
  }

  private static Map<Map<String, String>, List<ReferenceScript.Row>> rounded(
      Map<Map<String, String>, List<ReferenceScript.Row>> answer) {
    Map<Map<String, String>, List<ReferenceScript.Row>> rounded = new LinkedHashMap<>();
    answer.forEach(
        (key, rows) ->
            rounded.put(
                key,
                rows.stream()
                    .map(
                        row ->
                            row.value() instanceof Double value
                                ? new ReferenceScript.Row(
                                    row.start(), row.stop(), row.time(), rounded(value))
                                : row)
                    .toList()));
    return rounded;
  }

  private static Object rounded(double value) {
    return Double.isNaN(value) ? value : new BigDecimal(value).round(new MathContext(14));
  }

  private static Map<Map<String, String>, List<ReferenceScript.Row>> recorded(
      List<AnswerTable> tables) {
    Map<Map<String, String>, List<ReferenceScript.Row>> series = new LinkedHashMap<>();
    for (AnswerTable table : tables) {
      for (List<@Nullable Object> row : table.rows()) {
        Map<String, String> key = new TreeMap<>();
        long start = 0;
        long stop = 0;
        Long time = null;
        Object value = null;
        for (int i = 0; i < table.labels().size(); i++) {
          switch (table.labels().get(i)) {
            case "_start" -> start = (Long) row.get(i);
            case "_stop" -> stop = (Long) row.get(i);
            case "_time" -> time = (Long) row.get(i);
            case "_value" -> value = row.get(i);
            default -> {
              if (row.get(i) instanceof String tag) {
                key.put(table.labels().get(i), tag);
              }
            }
          }
        }
        series
            .computeIfAbsent(key, absent -> new ArrayList<>())
            .add(new ReferenceScript.Row(start, stop, time, value));
      }
    }
    return series;
  }
}
