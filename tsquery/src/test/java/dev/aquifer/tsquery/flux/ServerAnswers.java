package dev.aquifer.tsquery.flux;

import dev.aquifer.testkit.InfluxServer;
import dev.aquifer.testkit.TestkitException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a server answers, as it can be compared: tables in an order of their own, columns by their
 * names, rows as they come.
 */
final class ServerAnswers {
  private ServerAnswers() {}

  /** The tables of each result; null where the script fails. */
  static @Nullable Map<String, List<String>> of(InfluxServer server, FluxScript script) {
    AnswerTable.Collector collector = new AnswerTable.Collector();
    try {
      byte[] body = server.flux(script.text()).getBytes(StandardCharsets.UTF_8);
      FluxCsv.read(new ByteArrayInputStream(body), collector);
    } catch (TestkitException | FailedScriptException e) {
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Map<String, List<String>> results = new TreeMap<>();
    for (AnswerTable table : collector.tables) {
      results.computeIfAbsent(table.result(), name -> new ArrayList<>()).add(text(table));
    }
    results.values().forEach(tables -> tables.sort(Comparator.naturalOrder()));
    return results;
  }

  /** Its columns by name: which comes first says nothing. */
  private static String text(AnswerTable table) {
    List<Integer> order =
        IntStream.range(0, table.labels().size())
            .boxed()
            .filter(i -> !table.labels().get(i).equals("table"))
            .sorted(Comparator.comparing(i -> table.labels().get(i)))
            .toList();
    List<Object> parts = new ArrayList<>();
    for (int i : order) {
      parts.add(table.labels().get(i) + " " + table.types().get(i) + " " + table.grouped().get(i));
    }
    for (List<@Nullable Object> row : table.rows()) {
      parts.add(order.stream().map(row::get).toList());
    }
    return parts.toString();
  }
}
