package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ClusterNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.MissingTenantException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.tsquery.encounter.EncounterChange;
import dev.aquifer.tsquery.encounter.EncounterConflictException;
import dev.aquifer.tsquery.encounter.EncounterLimits;
import dev.aquifer.tsquery.encounter.EncounterPage;
import dev.aquifer.tsquery.encounter.EncounterScope;
import dev.aquifer.tsquery.encounter.EncounterStore;
import dev.aquifer.tsquery.encounter.Encounters;
import dev.aquifer.tsquery.encounter.UnknownEncounterException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Encounters in front of points in windows of 10 s, of 1,000 s. */
class EncountersTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Tenant T2 = Tenant.of("t2");

  private final OvertakenBackend points = new OvertakenBackend();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private final FailingStore store = new FailingStore();
  private final TimeSeries series =
      TimeSeries.builder().backend(points).clock(clock).lateness(Duration.ofMinutes(1)).build();
  private final Encounters stays =
      Encounters.builder(series, "stay").measurements("m").store(store).build();

  @BeforeEach
  void fill() {
    for (int i = 0; i < 100; i++) {
      points.add("t1", i * 10L * Nanos.PER_SECOND, Map.of(), i);
    }
  }

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void query_overOne_sharesWindowsWithAllRanges() {
    T1.run(() -> stays.add(new Encounter("4711", at(100), at(200))));
    assertThat(as(T1, () -> stays.query("4711", query())).fetched()).isEqualTo(10);
    assertThat(as(T1, () -> stays.query("4711", query())).fetched()).isZero();
    assertThat(ask(T1).fetched()).isEqualTo(90);
    TimeSeriesResult stay = as(T1, () -> stays.query("4711", query()));
    assertThat(stay.range()).isEqualTo(new TimeRange(at(100), at(200)));
    assertThat(stay.series()).isEqualTo(uncached(T1, 100, 200));
  }

  @Test
  void query_overOneThatGoesOn_reachesToNow() {
    T1.run(() -> stays.open("4711", clock.instant().minusSeconds(100)));
    TimeSeriesResult first = as(T1, () -> stays.query("4711", query()));
    assertThat(first.range().stop()).isEqualTo(clock.instant());
    clock.advance(Duration.ofSeconds(30));
    TimeSeriesResult next = as(T1, () -> stays.query("4711", query()));
    assertThat(next.shown()).isEqualTo(13);
    assertThat(next.range().stop()).isEqualTo(clock.instant());
  }

  @Test
  void changes_voidWhatTheEncounterHadAndHas_andNothingElse() {
    expectVoid(() -> stays.add(new Encounter("4711", at(100), at(200))), windows(100, 200));
    expectVoid(() -> stays.amend("4711", at(150), at(250)), windows(100, 250));
    expectVoid(() -> stays.amend("4711", at(600), null), windows(150, 250, 600, 1000));
    expectVoid(() -> stays.close("4711", at(700)), windows(600, 1000));
    expectVoid(() -> stays.close("4711", at(700)), windows(600, 700));
    expectVoid(() -> stays.amend("4711", at(795), at(801)), windows(600, 700, 790, 810));
    expectVoid(() -> stays.remove("4711"), windows(790, 810));
    expectVoid(() -> stays.open("4712", at(990)), windows(990, 1000));
    expectVoid(() -> stays.find("4712"), windows());
  }

  /** What a fetch that was under way brings of the time of a change is not kept. */
  @Test
  void close_whileItIsQueried_isNotOverwrittenByTheQuery() {
    T1.run(() -> stays.open("4711", at(100)));
    points.afterRead =
        () -> {
          points.add("t1", Nanos.of(at(505)), Map.of(), 7);
          stays.close("4711", at(600));
        };
    as(T1, () -> series.query(new Encounter("4711", at(100), at(700)), query()));
    TimeSeriesResult closed = as(T1, () -> stays.query("4711", query()));
    assertThat(closed.range().stop()).isEqualTo(at(600));
    assertThat(closed.series()).isEqualTo(uncached(T1, 100, 600));
  }

  /** The process dies between both: the same change made again voids what the first did not. */
  @Test
  void close_storedButNotVoided_isMadeGoodByTheSameAgain() {
    T1.run(() -> stays.open("4711", at(100)));
    ask(T1);
    points.add("t1", Nanos.of(at(505)), Map.of(), 7);
    store.afterwards =
        () -> {
          throw new Died();
        };
    assertThatThrownBy(() -> T1.run(() -> stays.close("4711", at(600)))).isInstanceOf(Died.class);
    assertThat(ask(T1).fetched()).isZero();
    store.afterwards = () -> {};
    T1.run(() -> stays.close("4711", at(600)));
    assertThat(ask(T1).series()).isEqualTo(uncached(T1, 0, 1000));
  }

  @Test
  void remove_storedButNotVoided_isMadeGoodByTheSameAgain() {
    Encounter stay = new Encounter("4711", at(100), at(600));
    T1.run(() -> stays.add(stay));
    ask(T1);
    points.add("t1", Nanos.of(at(505)), Map.of(), 7);
    store.afterwards =
        () -> {
          throw new Died();
        };
    assertThatThrownBy(() -> T1.run(() -> stays.remove(stay))).isInstanceOf(Died.class);
    assertThat(ask(T1).fetched()).isZero();
    store.afterwards = () -> {};
    expectVoid(() -> stays.remove(stay), windows(100, 600));
    assertThat(ask(T1).series()).isEqualTo(uncached(T1, 0, 1000));
  }

  @Test
  void remove_ofOneThatAnotherHasChanged_leavesIt() {
    Encounter seen = as(T1, () -> stays.open("4711", at(100)));
    Encounter closed = as(T1, () -> stays.close("4711", at(200)));

    assertThatThrownBy(() -> T1.run(() -> stays.remove(seen)))
        .isInstanceOf(EncounterConflictException.class);
    assertThat(as(T1, () -> stays.find("4711"))).contains(closed);
    T1.run(() -> stays.remove(closed));
    assertThat(as(T1, () -> stays.find("4711"))).isEmpty();
  }

  /** Nobody knows whether it was kept: it is void in any case. */
  @Test
  void close_whenTheStoreFailsAfterItHasKeptIt_isVoidAllTheSame() {
    T1.run(() -> stays.open("4711", at(100)));
    ask(T1);
    points.add("t1", Nanos.of(at(505)), Map.of(), 7);
    store.afterwards =
        () -> {
          throw new UnavailableException("commit");
        };
    assertThatThrownBy(() -> T1.run(() -> stays.close("4711", at(600))))
        .isInstanceOf(UnavailableException.class);
    assertThat(ask(T1).series()).isEqualTo(uncached(T1, 0, 1000));
  }

  @Test
  void changes_thatAreRefused_voidNothing() {
    Encounters few =
        Encounters.builder(series, "few")
            .measurements("m")
            .store(store)
            .limits(new EncounterLimits(1, 1))
            .build();
    T1.run(() -> few.open("a", at(0)));
    ask(T1);
    assertThatThrownBy(() -> T1.run(() -> few.open("b", at(0))))
        .isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> T1.run(() -> few.open("a", at(0))))
        .isInstanceOf(EncounterConflictException.class);
    assertThatThrownBy(() -> T1.run(() -> few.close("a", at(0))))
        .isInstanceOf(RefusedQueryException.class);
    assertThat(ask(T1).fetched()).isZero();
  }

  @Test
  void changes_ofWhatIsNotSo_nameKindTenantAndId() {
    T1.run(() -> stays.add(new Encounter("4711", at(100), at(200))));
    for (Supplier<?> unknown :
        new Supplier<?>[] {
          () -> stays.close("4712", at(200)),
          () -> stays.amend("4712", at(0), null),
          () -> stays.amend(Encounter.open("4712", at(0)), at(0), null),
          () -> stays.remove("4712"),
          () -> stays.query("4712", query())
        }) {
      assertThatThrownBy(() -> as(T1, unknown::get))
          .isInstanceOf(UnknownEncounterException.class)
          .hasMessageContainingAll("'4712'", "'stay'", "tenant t1");
    }
    assertThatThrownBy(() -> as(T1, () -> stays.open("4711", at(0))))
        .isInstanceOf(EncounterConflictException.class)
        .hasMessageContainingAll("'4711'", "'stay'", "tenant t1", "exists already", "" + at(200));
    assertThatThrownBy(() -> as(T1, () -> stays.close("4711", at(300))))
        .isInstanceOf(EncounterConflictException.class)
        .hasMessageContainingAll("'4711'", "has ended already", "" + at(300));
    Encounter seen = new Encounter("4711", at(100), at(201));
    assertThatThrownBy(() -> as(T1, () -> stays.amend(seen, at(0), null)))
        .isInstanceOf(EncounterConflictException.class)
        .hasMessageContainingAll("'4711'", "changed by another", "" + at(200));
    assertThatThrownBy(() -> as(T2, () -> stays.close("4711", at(300))))
        .isInstanceOf(UnknownEncounterException.class);
    assertThat(as(T1, () -> stays.find("4711"))).contains(new Encounter("4711", at(100), at(200)));
  }

  @Test
  void amend_ofTheOneThatWasSeen_isMade() {
    Encounter seen = as(T1, () -> stays.open("4711", at(100)));
    assertThat(as(T1, () -> stays.amend(seen, at(90), at(200))))
        .isEqualTo(new Encounter("4711", at(90), at(200)));
  }

  @Test
  void calls_withBadInput_areRefused() {
    for (String id : new String[] {"", "a\0b", "a\nb", "x".repeat(257), "\uD800"}) {
      for (Supplier<?> call :
          new Supplier<?>[] {
            () -> stays.open(id, at(0)),
            () -> stays.close(id, at(1)),
            () -> stays.amend(id, at(0), null),
            () -> stays.remove(id),
            () -> stays.find(id),
            () -> stays.query(id, query())
          }) {
        assertThatThrownBy(() -> as(T1, call::get)).isInstanceOf(RefusedQueryException.class);
      }
    }
    assertThatThrownBy(() -> as(T1, () -> stays.between(at(1), at(1), 1)))
        .isInstanceOf(RefusedQueryException.class);
    for (int most : new int[] {0, -1, Encounters.MOST + 1}) {
      assertThatThrownBy(() -> as(T1, () -> stays.between(at(0), at(1), most)))
          .isInstanceOf(RefusedQueryException.class);
    }
    assertThatThrownBy(() -> stays.find("4711")).isInstanceOf(MissingTenantException.class);
    assertThatThrownBy(() -> stays.open("4711", at(0))).isInstanceOf(MissingTenantException.class);
  }

  @Test
  void build_withBadSettings_isRefused() {
    for (String kind : new String[] {"", "a b", "a\0", "x".repeat(65), "stäy"}) {
      assertThatThrownBy(() -> Encounters.builder(series, kind))
          .isInstanceOf(RefusedQueryException.class);
    }
    assertThatThrownBy(() -> Encounters.builder(series, "stay").measurements("m").build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("store");
    assertThatThrownBy(
            () -> Encounters.builder(series, "stay").store(EncounterStore.inMemory()).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("measurements");
    assertThatThrownBy(() -> new EncounterLimits(0, 1)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> new EncounterLimits(1, 0)).isInstanceOf(ConfigurationException.class);
  }

  @Test
  void between_ofSeveral_givesThemInPages() {
    T1.run(
        () -> {
          for (int i = 0; i < 5; i++) {
            stays.open("s" + i, at(i));
          }
        });
    EncounterPage first = as(T1, () -> stays.between(at(0), at(9), 3));
    EncounterPage second = as(T1, () -> stays.between(at(0), at(9), 3, first.next()));
    assertThat(first.encounters()).extracting(Encounter::id).containsExactly("s0", "s1", "s2");
    assertThat(second.encounters()).extracting(Encounter::id).containsExactly("s3", "s4");
    assertThat(as(T2, () -> stays.between(at(0), at(9), 3)).encounters()).isEmpty();
  }

  /** Asks for everything before and after a change, and says which windows were asked for. */
  private void expectVoid(Runnable change, long[] seconds) {
    ask(T1);
    ask(T2);
    long[] before = LongStream.range(0, 100).map(i -> points.asked((int) i)).toArray();
    T1.run(change);
    ask(T1);
    TreeSet<Long> again = new TreeSet<>();
    for (int i = 0; i < 100; i++) {
      if (points.asked(i) > before[i]) {
        again.add(i * 10L);
      }
    }
    assertThat(again).containsExactlyElementsOf(LongStream.of(seconds).boxed().toList());
    assertThat(ask(T2).fetched()).isZero();
  }

  /** The starts of windows of 10 s in these ranges. */
  private static long[] windows(long... bounds) {
    LongStream all = LongStream.empty();
    for (int i = 0; i < bounds.length; i += 2) {
      long to = bounds[i + 1];
      all = LongStream.concat(all, LongStream.iterate(bounds[i], at -> at < to, at -> at + 10));
    }
    return all.toArray();
  }

  private TimeSeriesResult ask(Tenant tenant) {
    return as(tenant, () -> series.query(query()));
  }

  private List<Series> uncached(Tenant tenant, long from, long to) {
    return as(tenant, () -> series.queryUncached(query().withRange(at(from), at(to)))).series();
  }

  private static TimeSeriesQuery query() {
    return ClusterNode.query(0, 1000);
  }

  private static Instant at(long seconds) {
    return ClusterNode.at(seconds);
  }

  /** The end of a process: nothing catches it. */
  private static final class Died extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** Something happens once the change is kept. */
  private static final class FailingStore implements EncounterStore {
    private final EncounterStore store = EncounterStore.inMemory();
    private Runnable afterwards = () -> {};

    @Override
    public EncounterChange change(
        EncounterScope scope, String id, EncounterLimits limits, Decision decision) {
      EncounterChange change = store.change(scope, id, limits, decision);
      afterwards.run();
      return change;
    }

    @Override
    public Optional<Encounter> find(EncounterScope scope, String id) {
      return store.find(scope, id);
    }

    @Override
    public EncounterPage between(EncounterScope scope, TimeRange range, Encounter after, int most) {
      return store.between(scope, range, after, most);
    }
  }

  /** Something happens once the points are read. */
  private static final class OvertakenBackend extends PointsBackend {
    private Runnable afterRead = () -> {};

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      super.fetch(request, sink);
      Runnable change = afterRead;
      afterRead = () -> {};
      change.run();
    }
  }
}
