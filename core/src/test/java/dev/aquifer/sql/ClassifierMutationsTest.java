package dev.aquifer.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Mutations of the corpus through the analyser. For every one: no exception, a number of steps
 * linear in the length, a result that does not contradict itself, and a verb that writes at the
 * head is never let go to a standby, whatever follows it. For each unharmed statement of the corpus
 * also: what must go to the primary still must when harmless text is put around or behind it.
 */
class ClassifierMutationsTest {
  private static final String NAME = "classifier-mutations";
  private static final String[] SPLICES = {
    "'",
    "\"",
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "\n",
    ";",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "::",
    ":",
    "?",
    "\\",
    "\0",
    " E'",
    " U&\"",
    "select ",
    "from ",
    "with x as (",
    "delete from t",
    "for update",
    "into ",
    "union ",
    " as ",
    "nextval('s')",
    "é",
    "\uD83D",
    "1e",
    "0x",
    "-",
    "+",
    "=",
    "@",
    "$1",
    ":a"
  };
  private static final String[] WRITING_HEADS = {
    "insert into t ",
    "update t set a = ",
    "delete from t ",
    "merge into t ",
    "truncate ",
    "drop table ",
    "call ",
    "do ",
    "create ",
    "alter ",
    "grant ",
    "copy ",
    "lock ",
    "set ",
    "begin "
  };

  private static final Set<String> QUERIES =
      Set.of("SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE");

  private final List<Corpus.Entry> entries = Corpus.entries();
  private final List<String> failures = new ArrayList<>();
  private long failed;

  @Test
  void analyze_mutatedStatements_isSafeAndLinear() throws IOException {
    long seed = seed();
    long count = Boolean.getBoolean("proof.long") ? (long) (10_000_000 * scale()) : 100_000;
    long start = System.nanoTime();
    for (long i = 0; i < count; i++) {
      Random random = new Random(seed + i);
      Corpus.Entry entry = entries.get(random.nextInt(entries.size()));
      String mutated = mutate(entry.sql(), random);
      check(mutated, seed + i);
      if (i % 8 == 0) {
        String headed = WRITING_HEADS[random.nextInt(WRITING_HEADS.length)] + mutated;
        if (SqlStatement.analyze(headed).mayUseReplica()) {
          fail(seed + i, "writes, yet may use a replica", headed);
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    report(seed, count, seconds);
    assertThat(failures).as(failed + " of " + count + " failed; -Dproof.seed=" + seed).isEmpty();
  }

  private void check(String sql, long seed) {
    try {
      Tokens tokens = Lexer.scan(sql);
      if (tokens.steps > 2L * sql.length() + 2) {
        fail(seed, tokens.steps + " steps for " + sql.length() + " characters", sql);
      }
      SqlStatement statement = SqlStatement.analyze(sql);
      statement.fingerprint();
      boolean contradiction =
          statement.mayUseReplica()
              && (statement.writes()
                  || statement.changesSession()
                  || statement.statements() != 1
                  || statement.kind() != StatementKind.READ
                  || !tokens.complete);
      if (contradiction) {
        fail(seed, "contradicts itself", sql);
      }
    } catch (RuntimeException | StackOverflowError e) {
      fail(seed, e.toString(), sql);
    }
  }

  private void fail(long seed, String what, String sql) {
    failed++;
    if (failures.size() < 20) {
      failures.add("seed " + seed + ": " + what + ": " + sql);
    }
  }

  private String mutate(String sql, Random random) {
    StringBuilder text = new StringBuilder(sql);
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(text.length() + 1);
      int to = Math.min(text.length(), at + random.nextInt(8));
      switch (random.nextInt(7)) {
        case 0 -> text.delete(at, to);
        case 1 -> text.insert(at, SPLICES[random.nextInt(SPLICES.length)]);
        case 2 -> text.replace(at, to, SPLICES[random.nextInt(SPLICES.length)]);
        case 3 -> text.insert(at, text.substring(at, to));
        case 4 ->
            text.insert(
                at, (char) (random.nextInt(4) == 0 ? random.nextInt(65_536) : random.nextInt(128)));
        case 5 -> {
          String other = entries.get(random.nextInt(entries.size())).sql();
          text.insert(at, other.substring(random.nextInt(other.length())));
        }
        default -> text.setLength(at);
      }
    }
    return text.toString();
  }

  @Test
  void analyze_harmlessTextAround_neverReleasesWhatMustGoToThePrimary() {
    List<String> anywhere = List.of("/* x */ %s", "-- x\n%s", "%s ", "%s\n-- x", ";%s", "%s\n;");
    List<String> queries =
        List.of(
            "(%s\n)",
            "with zz as (select 1) %s",
            "select * from (%s\n) q",
            "with q as (%s\n) select * from q",
            "select 1 where exists (%s\n)",
            "select array(%s\n)",
            "explain %s",
            "select 1 union %s");
    for (Corpus.Entry entry : entries) {
      SqlStatement statement = SqlStatement.analyze(entry.sql());
      if (statement.mayUseReplica()) {
        continue;
      }
      anywhere.forEach(around -> assertNotReleased(around, entry));
      if (QUERIES.contains(statement.verb()) && statement.reason() != Reason.NOT_UNDERSTOOD) {
        queries.forEach(around -> assertNotReleased(around, entry));
      }
    }
  }

  private static void assertNotReleased(String around, Corpus.Entry entry) {
    String sql = around.replace("%s", entry.sql());
    assertThat(SqlStatement.analyze(sql).mayUseReplica()).as(sql).isFalse();
  }

  @Test
  void scan_ofATextTwiceAsLong_takesTwiceTheSteps() {
    for (Corpus.Entry entry : entries) {
      String once = (entry.sql() + "\n").repeat(50);
      String twice = once + once;
      long steps = Lexer.scan(once).steps;
      assertThat(Lexer.scan(twice).steps).as(entry.toString()).isLessThanOrEqualTo(2 * steps + 2);
    }
    for (String part :
        List.of(
            "'a'\n",
            "'a' --\n",
            "/*",
            "*/",
            "$a$",
            "\"",
            "$",
            "a$b$",
            "'a' ",
            "1_",
            "..",
            "- ",
            "?")) {
      long steps = Lexer.scan(part.repeat(100_000)).steps;
      assertThat(steps).as(part).isLessThanOrEqualTo(2L * part.length() * 100_000 + 2);
    }
  }

  private static long seed() {
    String given = System.getProperty("proof.seed", "");
    return given.isBlank() ? 20_260_101L : Long.parseLong(given);
  }

  private static double scale() {
    String given = System.getProperty("proof.scale", "");
    return given.isBlank() ? 1 : Double.parseDouble(given);
  }

  private void report(long seed, long tried, double seconds) throws IOException {
    Path directory = Path.of(System.getProperty("proof.directory", "target/proof"));
    Files.createDirectories(directory);
    Files.writeString(
        directory.resolve(NAME + ".json"),
        String.format(
            Locale.ROOT,
            "{\"name\": \"%s\", \"seed\": %d, \"tried\": %d, \"failed\": %d, \"seconds\": %.3f,"
                + " \"details\": {\"corpus\": %d}}%n",
            NAME,
            seed,
            tried,
            failed,
            seconds,
            entries.size()));
  }
}
