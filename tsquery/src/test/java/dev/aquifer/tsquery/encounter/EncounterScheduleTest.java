package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Whatever was done and packed before, a store has what a list of them would. */
@PostgresTest
class EncounterScheduleTest {
  private static final Instant ORIGIN = Instant.parse("2025-11-20T00:00:00Z");
  private static final List<EncounterScope> SCOPES =
      List.of(
          new EncounterScope(Tenant.of("t1"), "stay"),
          new EncounterScope(Tenant.of("t2"), "stay"),
          new EncounterScope(Tenant.of("t1"), "run"));

  private final DataSource dataSource;
  private final PostgresEncounters postgres;

  EncounterScheduleTest(DataSource dataSource) {
    this.dataSource = dataSource;
    this.postgres = PostgresEncounters.of(dataSource).createTables();
  }

  @Test
  void anything_onPostgres_isAsOfAList() {
    int[] archived = new int[1];
    Proof.of("encounters-postgresql")
        .tries(3, 1_000)
        .each(
            random -> {
              execute(
                  "TRUNCATE aquifer_encounter, aquifer_encounter_tally, aquifer_encounter_month");
              archived[0] += run(postgres.partOf(random.nextInt(1, 12)), random, 150);
            });
    assertThat(archived[0]).isGreaterThan(50);
  }

  @Test
  void anything_inMemory_isAsOfAList() {
    Proof.of("encounters-in-memory")
        .tries(100, 10_000)
        .each(random -> run(EncounterStore.inMemory(), random, 150));
  }

  /** What is packed, and unpacked, while others read is read once, neither twice nor not at all. */
  @Test
  void between_whileOthersArchiveAndAmend_findsEachOnce() throws Exception {
    PostgresEncounters store = postgres.partOf(5);
    EncounterScope scope = new EncounterScope(Tenant.of("read"), "stay");
    for (int i = 0; i < 20; i++) {
      put(store, scope, new Encounter("s" + i, at(i * 60L), at(i * 60L + 30)));
    }
    int reads =
        readsWhile(
            store,
            scope,
            20,
            i -> {
              store.archive(scope, at(90_000));
              int n = i % 20;
              put(store, scope, new Encounter("s" + n, at(n * 60L), at(n * 60L + 31 + i)));
            },
            read -> assertThat(store.find(scope, "s" + read % 20)).isPresent());
    assertThat(reads).isPositive();
  }

  /** A page of many parts, among which one encounter goes from the first to the last and back. */
  @Test
  void between_whileOneMovesAcrossParts_findsItOnce() throws Exception {
    PostgresEncounters store = postgres.partOf(2);
    EncounterScope scope = new EncounterScope(Tenant.of("moves"), "stay");
    for (int i = 0; i < 24; i++) {
      put(store, scope, new Encounter("s" + i, at(i * 60L), at(i * 60L + 30)));
    }
    store.archive(scope, at(90_000));
    int reads =
        readsWhile(
            store,
            scope,
            24,
            i -> {
              long to = i % 2 == 0 ? 23 * 60L + 5 : 5;
              put(store, scope, new Encounter("s9", at(to), at(to + 10)));
              store.archive(scope, at(90_000));
            },
            read -> {});
    assertThat(reads).isPositive();
  }

  /** How often all of so many were found, each once, while another thread made 60 changes. */
  private static int readsWhile(
      PostgresEncounters store,
      EncounterScope scope,
      int many,
      IntConsumer change,
      IntConsumer also)
      throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    List<Integer> reads =
        EncounterStoreContract.atOnce(
            2,
            1,
            (thread, turn) -> {
              if (thread == 0) {
                try {
                  IntStream.range(0, 60).forEach(change);
                } finally {
                  done.set(true);
                }
                return 0;
              }
              int read = 0;
              do {
                List<String> ids =
                    store
                        .between(scope, new TimeRange(at(0), at(90_000)), null, 100)
                        .encounters()
                        .stream()
                        .map(Encounter::id)
                        .toList();
                assertThat(ids).hasSize(many).doesNotHaveDuplicates();
                also.accept(read++);
              } while (!done.get());
              return read;
            });
    return reads.stream().mapToInt(each -> each).sum();
  }

  @Test
  void archive_ofWholeMonths_leavesWhatIsOpenOrLater() throws Exception {
    EncounterScope scope = new EncounterScope(Tenant.of("months"), "stay");
    put(postgres, scope, new Encounter("november", at(0), at(5)));
    put(postgres, scope, Encounter.open("open", at(1)));
    put(postgres, scope, new Encounter("december", at(24 * 11), at(24 * 60)));
    put(postgres, scope, new Encounter("january", at(24 * 42), at(24 * 60)));
    assertThat(postgres.archive(scope, Instant.parse("2025-12-31T23:59:59Z"))).isOne();
    assertThat(postgres.archive(scope, Instant.parse("2026-01-01T00:00:00Z"))).isOne();
    assertThat(postgres.archive(scope, Instant.parse("2026-01-31T00:00:00Z"))).isZero();
    put(postgres, scope, new Encounter("open", at(1), at(7)));
    assertThat(postgres.archive(scope, Instant.parse("2026-01-31T00:00:00Z"))).isOne();
    assertThat(count("aquifer_encounter")).isOne();
    assertThat(count("aquifer_encounter_month")).isEqualTo(2);
    assertThat(postgres.between(scope, new TimeRange(at(0), at(2_000)), null, 9).encounters())
        .extracting(Encounter::id)
        .containsExactly("november", "open", "december", "january");
  }

  @Test
  void find_inADamagedPart_namesIt() throws Exception {
    EncounterScope scope = new EncounterScope(Tenant.of("damaged"), "stay");
    put(postgres, scope, new Encounter("4711", at(0), at(5)));
    postgres.archive(scope, Instant.parse("2026-01-01T00:00:00Z"));
    execute(
        "UPDATE aquifer_encounter_month SET packed = set_byte(packed, 9, 1 + get_byte(packed, 9))"
            + " WHERE tenant = 'damaged'");
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> postgres.find(scope, "4711"))
        .isExactlyInstanceOf(dev.aquifer.AquiferException.class)
        .hasMessageContainingAll("Part 0", "2025-11", "'stay'", "tenant damaged", "checksum");
    execute("DELETE FROM aquifer_encounter_month WHERE tenant = 'damaged'");
  }

  private int run(EncounterStore store, RandomGenerator random, int steps) {
    Map<EncounterScope, Map<String, Encounter>> model = new HashMap<>();
    SCOPES.forEach(scope -> model.put(scope, new HashMap<>()));
    int archived = 0;
    for (int i = 0; i < steps; i++) {
      EncounterScope scope = SCOPES.get(random.nextInt(3));
      Map<String, Encounter> kept = model.get(scope);
      String id = "s" + random.nextInt(40);
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3 -> {
          // Equal starts are frequent.
          Instant start = at(random.nextInt(40) * 70L);
          Instant end = random.nextInt(3) == 0 ? null : start.plusSeconds(random.nextInt(1, 999));
          Encounter next = new Encounter(id, start, end);
          EncounterChange change = put(store, scope, next);
          assertThat(change).isEqualTo(new EncounterChange(kept.put(id, next), next));
        }
        case 4 -> {
          EncounterChange change =
              store.change(scope, id, EncounterLimits.defaults(), before -> null);
          assertThat(change).isEqualTo(new EncounterChange(kept.remove(id), null));
        }
        case 5, 6 -> archived += (int) store.archive(scope, at(random.nextInt(3_000)));
        case 7 -> assertThat(store.find(scope, id)).isEqualTo(Optional.ofNullable(kept.get(id)));
        default -> {
          Instant from = at(random.nextInt(3_000));
          TimeRange range = new TimeRange(from, from.plus(random(random)));
          List<Encounter> expected =
              kept.values().stream()
                  .filter(
                      each ->
                          each.start().isBefore(range.stop())
                              && (each.open() || each.end().isAfter(range.start())))
                  .sorted(EncounterOrder.BY_START)
                  .toList();
          assertThat(pages(store, scope, range, random.nextInt(1, 9))).isEqualTo(expected);
        }
      }
    }
    for (EncounterScope scope : SCOPES) {
      TimeRange all = new TimeRange(at(-1), at(1_000_000));
      assertThat(pages(store, scope, all, 7))
          .isEqualTo(model.get(scope).values().stream().sorted(EncounterOrder.BY_START).toList());
      model.get(scope).forEach((id, each) -> assertThat(store.find(scope, id)).contains(each));
    }
    return archived;
  }

  private static Duration random(RandomGenerator random) {
    return Duration.ofMinutes(random.nextInt(1, random.nextBoolean() ? 100 : 200_000));
  }

  private static List<Encounter> pages(
      EncounterStore store, EncounterScope scope, TimeRange range, int most) {
    List<Encounter> all = new ArrayList<>();
    EncounterPage page = store.between(scope, range, null, most);
    all.addAll(page.encounters());
    while (page.more()) {
      assertThat(page.encounters()).hasSize(most);
      page = store.between(scope, range, page.next(), most);
      assertThat(page.encounters()).isNotEmpty();
      all.addAll(page.encounters());
    }
    return all;
  }

  private static EncounterChange put(
      EncounterStore store, EncounterScope scope, Encounter encounter) {
    return store.change(scope, encounter.id(), EncounterLimits.defaults(), before -> encounter);
  }

  private long count(String table) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        java.sql.ResultSet rows =
            statement.executeQuery("SELECT count(*) FROM " + table + " WHERE tenant = 'months'")) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Hours after a time in November. */
  private static Instant at(long hours) {
    return ORIGIN.plus(Duration.ofHours(hours));
  }
}
