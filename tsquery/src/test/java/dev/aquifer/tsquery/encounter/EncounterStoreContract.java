package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What every store does. */
abstract class EncounterStoreContract {
  private static final AtomicLong COUNT = new AtomicLong();
  private static final EncounterLimits MANY = EncounterLimits.defaults();

  private final EncounterScope scope =
      new EncounterScope(Tenant.of("t" + COUNT.incrementAndGet()), "stay");

  abstract EncounterStore store();

  @Test
  void change_ofOne_isFoundAndInNoOtherScope() {
    Encounter stay = Encounter.open("4711", at(10));
    assertThat(put(stay)).isEqualTo(new EncounterChange(null, stay));
    assertThat(store().find(scope, "4711")).contains(stay);
    assertThat(store().find(new EncounterScope(scope.tenant(), "other"), "4711")).isEmpty();
    EncounterScope others = new EncounterScope(Tenant.of(scope.tenant() + "x"), "stay");
    assertThat(store().find(others, "4711")).isEmpty();
    assertThat(store().between(others, range(0, 1000), null, 10).encounters()).isEmpty();
    assertThat(remove("4711")).isEqualTo(new EncounterChange(stay, null));
    assertThat(store().find(scope, "4711")).isEmpty();
  }

  @Test
  void change_thatThrows_leavesAllAsItWas() {
    Encounter stay = Encounter.open("4711", at(10));
    put(stay);
    IllegalStateException own = new IllegalStateException("own");
    assertThatThrownBy(
            () ->
                store()
                    .change(
                        scope,
                        "4711",
                        MANY,
                        before -> {
                          throw own;
                        }))
        .isSameAs(own);
    assertThat(store().find(scope, "4711")).contains(stay);
  }

  @Test
  void find_hostileIds_areTheirOwn() {
    List<String> ids = List.of("' OR true --", "%", "a\\", "\uD83D\uDE00", "ä", "a", "A", "a ");
    for (int i = 0; i < ids.size(); i++) {
      put(new Encounter(ids.get(i), at(i), at(100)));
    }
    for (int i = 0; i < ids.size(); i++) {
      assertThat(store().find(scope, ids.get(i)))
          .contains(new Encounter(ids.get(i), at(i), at(100)));
    }
  }

  @Test
  void find_timesAtTheEndsOfNanoseconds_areKept() {
    Instant first = Instant.ofEpochSecond(Long.MIN_VALUE / 1_000_000_000);
    Instant last = EncounterOrder.instant(Long.MAX_VALUE);
    Encounter all = new Encounter("all", first, last);
    Encounter one = new Encounter("one", at(0), at(0).plusNanos(1));
    put(all);
    put(one);
    assertThat(store().find(scope, "all")).contains(all);
    assertThat(store().find(scope, "one")).contains(one);
    assertThat(store().between(scope, range(0, 1), null, 9).encounters()).containsExactly(all, one);
    assertThatThrownBy(() -> Encounter.open("late", last)).hasMessageContaining("no time");
  }

  @Test
  void between_givesThoseThatOverlap_inPages() {
    Encounter before = new Encounter("before", at(0), at(10));
    Encounter into = new Encounter("into", at(1), at(11));
    Encounter open = Encounter.open("open", at(2));
    Encounter low = new Encounter("\uFFFD", at(12), at(13));
    Encounter high = new Encounter("\uD83D\uDE00", at(12), at(13));
    Encounter after = Encounter.open("after", at(20));
    List.of(after, high, low, open, into, before).forEach(this::put);
    EncounterPage all = store().between(scope, range(10, 20), null, 4);
    assertThat(all.encounters()).containsExactly(into, open, low, high);
    assertThat(all.more()).isFalse();
    assertThat(all.next()).isNull();
    EncounterPage first = store().between(scope, range(10, 20), null, 3);
    assertThat(first.encounters()).containsExactly(into, open, low);
    assertThat(first.next()).isEqualTo(low);
    EncounterPage second = store().between(scope, range(10, 20), first.next(), 3);
    assertThat(second.encounters()).containsExactly(high);
    assertThat(second.more()).isFalse();
  }

  @Test
  void change_overALimit_isRefused() {
    EncounterLimits few = new EncounterLimits(3, 2);
    put(Encounter.open("a", at(0)), few);
    put(Encounter.open("b", at(0)), few);
    assertThatThrownBy(() -> put(Encounter.open("c", at(0)), few))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContainingAll("2 open encounters", "'stay'", scope.tenant().id());
    put(new Encounter("c", at(0), at(1)), few);
    assertThatThrownBy(() -> put(Encounter.open("c", at(0)), few))
        .isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> put(new Encounter("d", at(0), at(1)), few))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContainingAll("3 encounters", "'stay'", scope.tenant().id());
    assertThat(store().find(scope, "d")).isEmpty();
    // What is there already may be changed at the limit.
    put(new Encounter("a", at(0), at(1)), few);
    put(Encounter.open("c", at(0)), few);
    remove("a");
    put(new Encounter("d", at(0), at(1)), few);
  }

  /** Each change replaces what exactly one other has left: all of them are one chain. */
  @Test
  void change_ofOneBySeveralAtOnce_losesNone() throws Exception {
    put(Encounter.open("4711", at(0)));
    List<EncounterChange> changes =
        atOnce(
            4,
            20,
            (thread, i) -> put(new Encounter("4711", at(1 + thread * 100L + i), at(10_000)), MANY));
    List<Encounter> befores = new ArrayList<>();
    List<Encounter> afters = new ArrayList<>(List.of(Encounter.open("4711", at(0))));
    for (EncounterChange change : changes) {
      befores.add(change.before());
      afters.add(change.after());
    }
    befores.add(store().find(scope, "4711").orElseThrow());
    assertThat(befores).containsExactlyInAnyOrderElementsOf(afters);
  }

  @Test
  void change_bySeveralAtOnce_keepsTheLimits() throws Exception {
    EncounterLimits few = new EncounterLimits(30, 10);
    List<Boolean> opened =
        atOnce(
            4,
            8,
            (thread, i) -> {
              try {
                put(Encounter.open(thread + "-" + i, at(0)), few);
                return true;
              } catch (RefusedQueryException e) {
                return false;
              }
            });
    assertThat(opened.stream().filter(each -> each)).hasSize(10);
    assertThat(store().between(scope, range(0, 1), null, 100).encounters()).hasSize(10);
  }

  interface Each<T> {
    T of(int thread, int turn) throws Exception;
  }

  static <T> List<T> atOnce(int threads, int turns, Each<T> each) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      CyclicBarrier barrier = new CyclicBarrier(threads);
      List<Future<List<T>>> running = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int thread = t;
        Callable<List<T>> body =
            () -> {
              List<T> done = new ArrayList<>();
              barrier.await(20, TimeUnit.SECONDS);
              for (int i = 0; i < turns; i++) {
                done.add(each.of(thread, i));
              }
              return done;
            };
        running.add(executor.submit(body));
      }
      List<T> all = new ArrayList<>();
      for (Future<List<T>> one : running) {
        all.addAll(one.get(60, TimeUnit.SECONDS));
      }
      return all;
    } finally {
      executor.shutdownNow();
    }
  }

  private EncounterChange put(Encounter encounter) {
    return put(encounter, MANY);
  }

  private EncounterChange put(Encounter encounter, EncounterLimits limits) {
    return store().change(scope, encounter.id(), limits, before -> encounter);
  }

  private EncounterChange remove(String id) {
    return store().change(scope, id, MANY, before -> null);
  }

  static Instant at(long seconds) {
    return Instant.parse("2026-03-01T00:00:00Z").plusSeconds(seconds);
  }

  static TimeRange range(long from, long to) {
    return new TimeRange(at(from), at(to));
  }
}
