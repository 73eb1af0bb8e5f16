package dev.aquifer.metrics;

import dev.aquifer.spi.Report;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports as JSON. One that fails is left out, and takes no other with it. */
final class ReportsJson {
  static final int MOST_ROWS = 200;
  static final int LONGEST_CELL = 500;

  private static final Logger log = LoggerFactory.getLogger(ReportsJson.class);

  private ReportsJson() {}

  static String of(List<Report> reports) {
    JsonText json = new JsonText();
    json.open('{').name("reports").open('[');
    for (Report report : reports) {
      try {
        String title = report.title();
        List<String> columns = report.columns();
        List<List<String>> rows = report.rows();
        write(title, columns, rows, json);
      } catch (RuntimeException e) {
        log.warn("The report {} failed; the page is shown without it", report.getClass(), e);
      }
    }
    return json.close(']').close('}').toString();
  }

  private static void write(
      String title, List<String> columns, List<List<String>> rows, JsonText json) {
    json.open('{').name("title").text(cut(title)).name("columns");
    line(columns, json);
    json.name("rows").open('[');
    rows.stream().limit(MOST_ROWS).forEach(row -> line(row, json));
    json.close(']').close('}');
  }

  private static void line(List<String> cells, JsonText json) {
    json.open('[');
    cells.forEach(cell -> json.text(cut(cell)));
    json.close(']');
  }

  private static String cut(String text) {
    return text.length() > LONGEST_CELL ? text.substring(0, LONGEST_CELL) + "…" : text;
  }
}
