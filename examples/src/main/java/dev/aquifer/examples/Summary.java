package dev.aquifer.examples;

import dev.aquifer.examples.Answers.From;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the main job counted: as a table for people, as JSON for programs, and as the checks that
 * decide its exit code.
 */
final class Summary {
  /**
   * One thing that must hold.
   *
   * @param name what
   * @param passed whether it does
   * @param detail the figures that it was judged by
   */
  record Check(String name, boolean passed, String detail) {}

  private final Answers answers;
  private final Users users;
  private final Map<String, String> versions;
  private final List<Check> checks = new ArrayList<>();
  private final List<Dashboard.Outcome> dashboards = new ArrayList<>();
  private @Nullable Long replicaOutMillis;

  Summary(Answers answers, Users users, Map<String, String> versions) {
    this.answers = answers;
    this.users = users;
    this.versions = versions;
  }

  void check(String name, boolean passed, String detail) {
    checks.add(new Check(name, passed, detail));
  }

  void dashboard(Dashboard.Outcome outcome) {
    dashboards.add(outcome);
    check(
        "dashboard on " + outcome.source(),
        outcome.compared() > 0 && outcome.different() == 0 && outcome.fetched() < outcome.shown(),
        "%,d of %,d answers differ from the uncached one; %,d buckets shown, %,d fetched"
            .formatted(
                outcome.different(), outcome.compared(), outcome.shown(), outcome.fetched()));
  }

  void replicaOut(long millis) {
    replicaOutMillis = millis;
  }

  boolean passed() {
    return checks.stream().allMatch(Check::passed);
  }

  /** The part of the reads that no database saw. */
  double databaseReadsAvoided() {
    long database = count(From.REPLICA) + count(From.PRIMARY);
    long all = database + count(From.L1) + count(From.L2);
    return all == 0 ? 0 : 1 - (double) database / all;
  }

  private long count(From from) {
    return answers.latency(from).getTotalCount();
  }

  void print(PrintStream out) {
    out.printf(Locale.ROOT, "%nAnswers        reads   share      P50 µs     P95 µs     P99 µs%n");
    for (From from : From.values()) {
      row(out, from.name().toLowerCase(Locale.ROOT), answers.latency(from));
    }
    row(out, "all", answers.latency());
    out.printf(
        Locale.ROOT,
        "%nDatabase reads avoided: %.1f %%. Writes: %,d, each followed by a read on the other node with the writer's token.%n",
        100 * databaseReadsAvoided(),
        users.writes());
    for (Dashboard.Outcome outcome : dashboards) {
      out.printf(
          Locale.ROOT,
          "Dashboard on %s: %,d buckets shown, %,d fetched (%.1f %%), %,d requests.%n",
          outcome.source(),
          outcome.shown(),
          outcome.fetched(),
          100.0 * outcome.fetched() / Math.max(1, outcome.shown()),
          outcome.requests());
    }
    out.println();
    for (Check check : checks) {
      out.printf("%s  %s: %s%n", check.passed() ? "pass" : "FAIL", check.name(), check.detail());
    }
    users.failures().forEach((failure, times) -> out.printf("      %,d × %s%n", times, failure));
  }

  private void row(PrintStream out, String name, Histogram latency) {
    out.printf(
        Locale.ROOT,
        "  %-8s %,9d  %5.1f %% %,10d %,10d %,10d%n",
        name,
        latency.getTotalCount(),
        100.0 * latency.getTotalCount() / Math.max(1, answers.latency().getTotalCount()),
        latency.getValueAtPercentile(50),
        latency.getValueAtPercentile(95),
        latency.getValueAtPercentile(99));
  }

  void write(Path file) throws IOException {
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("reads", users.reads());
    Map<String, Object> from = new LinkedHashMap<>();
    Map<String, Object> latencies = new LinkedHashMap<>();
    for (From each : From.values()) {
      from.put(each.name().toLowerCase(Locale.ROOT), count(each));
      latencies.put(each.name().toLowerCase(Locale.ROOT), percentiles(answers.latency(each)));
    }
    summary.put("answers", from);
    summary.put("latencyMicros", percentiles(answers.latency()));
    summary.put("latencyMicrosByAnswer", latencies);
    summary.put("databaseReadsAvoided", databaseReadsAvoided());
    summary.put("writes", users.writes());
    summary.put("staleReads", users.staleReads());
    summary.put("failedReads", users.failedReads());
    summary.put("replicaOutMillis", replicaOutMillis);
    summary.put("bucketsShown", dashboards.stream().mapToLong(Dashboard.Outcome::shown).sum());
    summary.put("bucketsFetched", dashboards.stream().mapToLong(Dashboard.Outcome::fetched).sum());
    summary.put("dashboards", dashboards);
    summary.put("checks", checks);
    summary.put("versions", versions);
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.writeString(
        file,
        JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(summary)
            + "\n");
  }

  private static Map<String, Long> percentiles(Histogram latency) {
    Map<String, Long> percentiles = new LinkedHashMap<>();
    percentiles.put("p50", latency.getValueAtPercentile(50));
    percentiles.put("p95", latency.getValueAtPercentile(95));
    percentiles.put("p99", latency.getValueAtPercentile(99));
    return percentiles;
  }
}
