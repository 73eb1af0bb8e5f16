package dev.aquifer.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;

class CorpusTest {
  private static final List<Corpus.Entry> ENTRIES = Corpus.entries();

  @Test
  void analyze_everyStatementOfTheCorpus_saysWhatItsLabelSays() {
    SoftAssertions softly = new SoftAssertions();
    for (Corpus.Entry entry : ENTRIES) {
      SqlStatement statement = SqlStatement.analyze(entry.sql());
      String reason = entry.mayUseReplica() ? "NONE" : entry.label();
      softly.assertThat(statement.reason().name()).as(entry.toString()).isEqualTo(reason);
      softly
          .assertThat(names(statement.tablesRead()))
          .as("reads, " + entry)
          .isEqualTo(entry.reads());
      softly
          .assertThat(names(statement.tablesWritten()))
          .as("writes, " + entry)
          .isEqualTo(entry.writes());
      softly
          .assertThat(statement.writesUnknownTables())
          .as("unknown, " + entry)
          .isEqualTo(entry.unknown());
      softly
          .assertThat(statement.changesSession())
          .as("session, " + entry)
          .isEqualTo(entry.session());
    }
    softly.assertAll();
  }

  /**
   * Letter case and comments between tokens never change an answer; names in quotes keep theirs.
   */
  @Test
  void analyze_upperCase_saysTheSame() {
    for (Corpus.Entry entry : ENTRIES) {
      if (entry.sql().chars().anyMatch(c -> c == '"' || c == '$' || c == '\'' || c > 127)) {
        continue;
      }
      SqlStatement statement = SqlStatement.analyze(entry.sql());
      SqlStatement upper = SqlStatement.analyze(entry.sql().toUpperCase(Locale.ROOT));
      assertThat(upper.reason()).as(entry.toString()).isEqualTo(statement.reason());
      assertThat(upper.tablesRead()).as(entry.toString()).isEqualTo(statement.tablesRead());
      assertThat(upper.fingerprint()).as(entry.toString()).isEqualTo(statement.fingerprint());
    }
  }

  @Test
  void corpus_coversEveryReasonAndHasNoDoubles() {
    Set<String> reasons = new HashSet<>();
    Set<String> statements = new HashSet<>();
    for (Corpus.Entry entry : ENTRIES) {
      reasons.add(entry.label());
      assertThat(statements.add(entry.sql())).as("twice in the corpus: " + entry).isTrue();
    }
    // These need a catalogue, a limit or a standby's word.
    Set<String> elsewhere = Set.of("NONE", "TOO_LONG", "TYPE", "REFUSED_BY_STANDBY");
    for (Reason reason : Reason.values()) {
      assertThat(reasons.contains(reason.name()) || elsewhere.contains(reason.name()))
          .as("a statement for " + reason)
          .isTrue();
    }
    assertThat(ENTRIES).hasSizeGreaterThan(600);
  }

  private static Set<String> names(Set<TableName> tables) {
    Set<String> names = new TreeSet<>();
    tables.forEach(table -> names.add(table.toString()));
    return names;
  }
}
