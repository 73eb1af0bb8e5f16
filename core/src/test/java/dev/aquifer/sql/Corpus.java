package dev.aquifer.sql;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The labelled statements of {@code corpus.txt}, whose head explains the format. */
final class Corpus {

  /** One statement and what must be said of it; tables as they print. */
  record Entry(
      int line,
      String label,
      String sql,
      Set<String> reads,
      Set<String> writes,
      boolean unknown,
      boolean session) {

    boolean mayUseReplica() {
      return label.equals("replica");
    }

    @Override
    public String toString() {
      return "line " + line + ", " + label + ": " + sql;
    }
  }

  private Corpus() {}

  static List<Entry> entries() {
    try (InputStream in =
            Objects.requireNonNull(Corpus.class.getResourceAsStream("corpus.txt"), "corpus.txt");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return parse(lines.lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Entry> parse(List<String> lines) {
    List<Entry> entries = new ArrayList<>();
    int i = 0;
    while (i < lines.size()) {
      String line = lines.get(i);
      int number = ++i;
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      List<String> details = new ArrayList<>();
      while (i < lines.size() && lines.get(i).startsWith("  ")) {
        details.add(lines.get(i++).strip());
      }
      entries.add(entry(number, line, details));
    }
    return entries;
  }

  private static Entry entry(int number, String line, List<String> details) {
    int colon = line.indexOf(": ");
    if (colon < 0) {
      throw new IllegalArgumentException("corpus.txt, line " + number + ": no label: " + line);
    }
    for (String detail : details) {
      if (!detail.matches("(reads|writes) .+|unknown|session")) {
        throw new IllegalArgumentException("corpus.txt, below line " + number + ": " + detail);
      }
    }
    return new Entry(
        number,
        line.substring(0, colon),
        line.substring(colon + 2).replace('␤', '\n'),
        tables(details, "reads "),
        tables(details, "writes "),
        details.contains("unknown"),
        details.contains("session"));
  }

  private static Set<String> tables(List<String> details, String what) {
    return details.stream()
        .filter(detail -> detail.startsWith(what))
        .flatMap(detail -> Arrays.stream(detail.substring(what.length()).split(", *", -1)))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
