package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.replica.RowHistory.Caller;
import dev.aquifer.replica.RowHistory.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Histories made by hand: what must not have been is found, and nothing else. */
class RowHistoryTest {
  private final RowHistory history = new RowHistory();
  private final Caller one = history.caller();
  private final Caller two = history.caller();

  private void finds(String problem, Long... rows) {
    assertThat(history.problems(List.of(rows))).hasSize(2).first().asString().startsWith(problem);
  }

  @Test
  void goodHistory_hasNoProblems() {
    one.wrote(1, 10, 0, 5, Outcome.DONE);
    two.read(1, 0, 1, 2, "a");
    two.read(1, 10, 3, 4, "b");
    one.wrote(1, 11, 6, 9, Outcome.UNKNOWN);
    one.wrote(1, 12, 10, 12, Outcome.FAILED);
    one.wrote(1, 13, 13, 14, Outcome.UNKNOWN);
    one.read(1, 10, 15, 16, "a");
    one.read(1, 11, 17, 18, "a");
    assertThat(history.problems(List.of(10L, 11L))).isEmpty();
    assertThat(history.reads()).isEqualTo(4);
  }

  @Test
  void ownWriteMissed_isFound() {
    one.wrote(1, 10, 0, 5, Outcome.DONE);
    one.wrote(1, 11, 6, 7, Outcome.DONE);
    one.read(1, 10, 8, 9, "a");
    finds("caller 0 misses its own write", 10L, 11L);
  }

  @Test
  void backwardsRead_isFound() {
    one.wrote(1, 10, 0, 5, Outcome.DONE);
    one.wrote(1, 11, 6, 7, Outcome.DONE);
    two.read(1, 11, 8, 9, "a");
    two.read(1, 10, 10, 11, "b");
    finds("caller 1 reads backwards", 10L, 11L);
  }

  @Test
  void acknowledgedWriteLost_isFound() {
    one.wrote(1, 10, 0, 5, Outcome.DONE);
    finds("lost");
  }

  @Test
  void statementExecutedTwice_isFound() {
    one.wrote(1, 10, 0, 5, Outcome.UNKNOWN);
    finds("executed 2 times", 10L, 10L);
  }

  @Test
  void failedWriteThatStands_isFound() {
    one.wrote(1, 10, 0, 5, Outcome.FAILED);
    finds("executed, though", 10L);
  }

  @Test
  void failedWriteThatIsRead_isFound() {
    one.wrote(1, 10, 0, 5, Outcome.FAILED);
    two.read(1, 10, 6, 7, "a");
    finds("reads what was not written");
  }

  @Test
  void readOfWhatIsWrittenLater_isFound() {
    two.read(1, 10, 0, 1, "a");
    one.wrote(1, 10, 2, 3, Outcome.DONE);
    finds("reads what was written later", 10L);
  }

  @Test
  void readOfAnotherKeysRow_isFound() {
    one.wrote(1, 10, 0, 1, Outcome.DONE);
    two.read(2, 10, 2, 3, "a");
    finds("reads what nobody wrote there", 10L);
  }

  @Test
  void rowOfNobody_isFound() {
    finds("a row that nobody wrote", 10L);
  }
}
