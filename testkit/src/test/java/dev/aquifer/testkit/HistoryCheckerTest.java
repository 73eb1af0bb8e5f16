package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.testkit.HistoryChecker.Item;
import dev.aquifer.testkit.HistoryChecker.Session;
import dev.aquifer.testkit.HistoryChecker.Token;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Histories made by hand, in milliseconds. */
class HistoryCheckerTest {
  private static final Duration BOUND = Duration.ofSeconds(2);

  private final AtomicLong clock = new AtomicLong();
  private final HistoryChecker history = HistoryChecker.on(clock::get);
  private final Item table = history.item("table");
  private final Item row = history.item("row", table);
  private final Item other = history.item("other");
  private final Session here = history.session("here");
  private final Session there = history.session("there");

  private long at(long millis) {
    clock.set(TimeUnit.MILLISECONDS.toNanos(millis));
    return history.now();
  }

  private void write(Session session, Item item, long version, long from, long to) {
    long begun = at(from);
    at(to);
    session.write(item, begun, version);
  }

  private void read(Session session, Item item, long version, long from, long to) {
    long begun = at(from);
    at(to);
    session.read(item, begun, version);
  }

  private Token export(Session session, long from, long to) {
    long begun = at(from);
    at(to);
    return session.export(begun);
  }

  private HistoryVerdict verdict() {
    return history.check(BOUND);
  }

  @Test
  void check_nothingRecorded_isFresh() {
    assertThat(verdict().fresh()).isTrue();
    assertThat(verdict().operations()).isZero();
    assertThat(verdict().foundAfter()).isEqualTo(-1);
  }

  @Test
  void check_readOnTheWritersNode_mayMissNothing() {
    write(here, row, 1, 0, 10);
    read(here, row, 1, 20, 21);
    assertThat(verdict().fresh()).isTrue();
    read(here, row, 0, 30, 31);
    assertThat(verdict().staleOnOwnNode()).isEqualTo(1);
    assertThat(verdict().longestStale()).isEqualTo(Duration.ofMillis(20));
    assertThat(verdict().foundAfter()).isEqualTo(3);
  }

  @Test
  void check_anotherSessionOfTheNode_mayMissNothing() {
    write(here, row, 1, 0, 10);
    read(history.session("here"), row, 0, 11, 12);
    assertThat(verdict().staleOnOwnNode()).isEqualTo(1);
  }

  @Test
  void check_concurrentWithTheWrite_mayReadEither() {
    write(here, row, 1, 0, 10);
    read(here, row, 0, 5, 30);
    read(here, row, 1, 5, 30);
    // To the nanosecond: which of the two was first cannot be said.
    read(here, row, 0, 10, 11);
    assertThat(verdict().fresh()).isTrue();
    assertThat(verdict().backwards()).isEqualTo(1);
  }

  @Test
  void check_newerThanAcknowledged_isFresh() {
    write(here, row, 1, 0, 10);
    read(here, row, 7, 20, 21);
    read(there, row, 7, 5000, 5001);
    assertThat(verdict().fresh()).isTrue();
  }

  @Test
  void check_writtenThroughATag_missesThat() {
    write(here, table, 5, 0, 10);
    read(here, row, 5, 20, 21);
    read(here, other, 1, 20, 21);
    assertThat(verdict().fresh()).isTrue();
    read(here, row, 4, 20, 21);
    assertThat(verdict().stale()).isEqualTo(1);
  }

  @Test
  void check_onAnotherNodeWithoutToken_hasTheBound() {
    write(here, row, 1, 0, 10);
    export(here, 11, 20);
    read(there, row, 0, 2020, 2021);
    assertThat(verdict().fresh()).isTrue();
    assertThat(verdict().longestElsewhere()).isEqualTo(BOUND);
    read(there, row, 0, 2021, 2022);
    assertThat(verdict().staleElsewhere()).isEqualTo(1);
    assertThat(verdict().longestElsewhere()).isEqualTo(Duration.ofMillis(2001));
    assertThat(history.check(Duration.ofMillis(2001)).fresh()).isTrue();
  }

  @Test
  void check_othersWereNeverTold_countsFromNoTime() {
    write(here, row, 1, 0, 10);
    read(there, row, 0, 60_000, 60_001);
    assertThat(verdict().fresh()).isTrue();
    assertThat(verdict().longestElsewhere()).isZero();
    assertThat(verdict().longestUntold()).isEqualTo(Duration.ofMillis(59_990));
  }

  @Test
  void check_toldLater_countsFromThen() {
    write(here, row, 1, 0, 10);
    write(here, row, 2, 5000, 5001);
    export(here, 5000, 5002);
    // Began before the second was acknowledged: says nothing of that.
    read(there, row, 0, 6000, 6001);
    read(there, row, 1, 9000, 9001);
    assertThat(verdict().fresh()).isTrue();
    read(there, row, 0, 7003, 7004);
    assertThat(verdict().staleElsewhere()).isEqualTo(1);
  }

  @Test
  void check_bearerOfTheToken_mayMissNothing() {
    write(here, row, 1, 0, 10);
    Token token = export(here, 11, 12);
    read(there, row, 0, 13, 14);
    assertThat(verdict().fresh()).isTrue();
    there.accept(token);
    read(there, row, 0, 15, 16);
    assertThat(verdict().staleWithToken()).isEqualTo(1);
    assertThat(verdict().toString())
        .contains("there, session 2 reads row -> 0: misses a write that its session's token")
        .contains("here, session 1 writes row = 1");
  }

  @Test
  void check_tokenOfTheNodeBeforeTheWrite_demandsNothing() {
    Token token = export(here, 0, 1);
    write(here, row, 1, 2, 10);
    there.accept(token);
    read(there, row, 0, 15, 16);
    assertThat(verdict().fresh()).isTrue();
  }

  @Test
  void check_tokenPassedOn_demandsBoth() {
    write(here, row, 1, 0, 10);
    there.accept(export(here, 11, 12));
    write(there, other, 8, 13, 14);
    Session third = history.session("third");
    third.accept(export(there, 15, 16));
    read(third, row, 0, 17, 18);
    read(third, other, 7, 17, 18);
    assertThat(verdict().staleWithToken()).isEqualTo(2);
  }

  @Test
  void check_tokenOfAnotherSession_isNotTheOthers() {
    write(here, row, 1, 0, 10);
    there.accept(export(here, 11, 12));
    read(history.session("there"), row, 0, 15, 16);
    assertThat(verdict().fresh()).isTrue();
  }

  @Test
  void check_acknowledgedOutOfOrder_needsTheHighest() {
    write(here, row, 9, 0, 10);
    write(here, row, 3, 0, 20);
    read(here, row, 9, 30, 31);
    assertThat(verdict().fresh()).isTrue();
    read(here, row, 8, 30, 31);
    assertThat(verdict().stale()).isEqualTo(1);
    assertThat(verdict().longestStale()).isEqualTo(Duration.ofMillis(20));
  }

  @Test
  void check_unacknowledgedWrite_mayBeMissedAndSeen() {
    long begun = at(0);
    at(10);
    here.unacknowledged(row, begun, 1);
    export(here, 11, 12);
    read(here, row, 0, 20, 21);
    read(here, row, 1, 20, 21);
    read(there, row, 0, 9000, 9001);
    assertThat(verdict().fresh()).isTrue();
    assertThat(verdict().writes()).isEqualTo(1);
  }

  @Test
  void check_nothingFound_isAsOldAsTheNewestRemoval() {
    write(here, row, 1, 0, 10);
    long begun = at(20);
    at(30);
    here.remove(row, begun, 2);
    begun = at(40);
    at(41);
    here.readAbsent(row, begun);
    assertThat(verdict().fresh()).isTrue();
    write(here, row, 3, 50, 60);
    begun = at(55);
    at(70);
    here.readAbsent(row, begun);
    assertThat(verdict().fresh()).isTrue();
    begun = at(71);
    at(72);
    here.readAbsent(row, begun);
    assertThat(verdict().staleOnOwnNode()).isEqualTo(1);
  }

  @Test
  void check_readRemovedValue_isStale() {
    write(here, row, 1, 0, 10);
    long begun = at(20);
    at(30);
    here.remove(row, begun, 2);
    read(here, row, 1, 40, 41);
    assertThat(verdict().staleOnOwnNode()).isEqualTo(1);
  }

  @Test
  void check_anothersValue_isNoStaleRead() {
    here.readForeign(row, at(0));
    assertThat(verdict().fresh()).isFalse();
    assertThat(verdict().foreign()).isEqualTo(1);
    assertThat(verdict().stale()).isZero();
    assertThatThrownBy(() -> verdict().assertFresh())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("here, session 1 reads row -> a value of something else");
  }

  @Test
  void check_failures_areCountedAlone() {
    here.failed(row, at(0));
    assertThat(verdict().failures()).isEqualTo(1);
    assertThatCode(() -> verdict().assertFresh()).doesNotThrowAnyException();
  }

  @Test
  void stories_tellWhatWentOnAround() {
    write(there, row, 1, 0, 1);
    at(15);
    history.note("link of here is cut");
    read(there, row, 1, 22, 23);
    write(here, table, 2, 20, 25);
    read(there, other, 0, 26, 27);
    read(here, row, 1, 30, 31);
    assertThat(verdict().stories())
        .singleElement()
        .asString()
        .isEqualTo(
            """
            here, session 1 reads row -> 1: misses a write of its own node (5.000 ms late): here, session 1 writes table = 2 was acknowledged before
                      -20.000 ms there, session 2 writes row = 1  [1.000 ms]
                       -5.000 ms -- link of here is cut
                >      +0.000 ms here, session 1 writes table = 2  [5.000 ms]
                       +2.000 ms there, session 2 reads row -> 1  [1.000 ms]
                >     +10.000 ms here, session 1 reads row -> 1  [1.000 ms]""");
  }

  @Test
  void check_manyStale_keepsTheFirstTen() {
    write(here, row, 1, 0, 10);
    for (int i = 5000; i > 0; i--) {
      read(here, row, 0, 20 + i, 21 + i);
    }
    HistoryVerdict verdict = verdict();
    assertThat(verdict.stale()).isEqualTo(5000);
    assertThat(verdict.stories()).hasSize(10);
    assertThat(verdict.stories().get(0)).contains("(11.000 ms late)");
    assertThat(verdict.foundAfter()).isEqualTo(2);
  }
}
