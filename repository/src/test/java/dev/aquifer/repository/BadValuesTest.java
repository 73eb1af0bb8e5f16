package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.InvalidTenantException;
import dev.aquifer.MissingTenantException;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tenants, values and bytes that are not what they should be. */
@Timeout(60)
class BadValuesTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES = PostgresExtension.shared().schema(Nodes.schema());

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Seen SEEN_A = new Seen();
  private static final Seen SEEN_B = new Seen();
  private static Aquifer a;
  private static Aquifer b;
  private static Book bookA;
  private static Book bookB;

  @BeforeAll
  static void start() {
    a = Nodes.on(POSTGRES.database(), REDIS.database()).observer(SEEN_A).build();
    b = Nodes.on(POSTGRES.database(), REDIS.database()).observer(SEEN_B).build();
    bookA = a.repository(Book.class);
    bookB = b.repository(Book.class);
  }

  @AfterAll
  static void close() {
    a.close();
    b.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "a b", " a", "a:b", "{a}", "a{b", "a}b", "a\n", "a\0b", "a/b", "é", "a'--", "*"
      })
  void tenant_withACharacterThatSeparatesIsRefused(String id) {
    assertThatThrownBy(() -> Tenant.of(id))
        .isInstanceOf(InvalidTenantException.class)
        .hasMessageContaining("A-Z a-z 0-9 _ . -");
  }

  @Test
  void tenant_ofTenThousandCharactersIsRefusedInFewWords() {
    assertThatThrownBy(() -> Tenant.of("a".repeat(10_000)))
        .isInstanceOf(InvalidTenantException.class)
        .hasMessageContaining("10,000")
        .message()
        .hasSizeLessThan(300);
  }

  @Test
  void call_withoutATenantIsRefusedAndNothingIsSent() {
    long routes = SEEN_A.routes();
    assertThatThrownBy(() -> bookA.byId(1)).isInstanceOf(MissingTenantException.class);
    assertThatThrownBy(() -> bookA.delay(1, 8)).isInstanceOf(MissingTenantException.class);
    assertThatThrownBy(() -> bookA.add(List.of(new Book.Flight(1, 1))))
        .isInstanceOf(MissingTenantException.class);
    assertThatThrownBy(() -> bookA.delayAndRead(1, 8)).isInstanceOf(MissingTenantException.class);
    assertThat(SEEN_A.routes()).isEqualTo(routes);
  }

  /** What no codec can write: it holds itself. */
  static final class Unwritable {
    private final String text;
    final Unwritable self;

    Unwritable(String text) {
      this.text = text;
      this.self = this;
    }

    String text() {
      return text;
    }
  }

  record Odd(long id, Unwritable name) {}

  interface Oddities {
    @SqlQuery("select id, 'odd' as name from flight where tenant = :tenant and id = :id")
    @Cached
    Odd byId(long id);
  }

  @Test
  void value_thatCannotBeEncodedIsAnsweredUncachedAndCounted() {
    a.jdbi()
        .registerColumnMapper(
            Unwritable.class, (rows, column, context) -> new Unwritable(rows.getString(column)));
    Oddities oddities = a.repository(Oddities.class);
    Tenant tenant = Nodes.tenant(bookA, 1, 7);

    for (int i = 1; i <= 2; i++) {
      long faults = SEEN_A.faults(CacheFault.UNENCODABLE);
      tenant.run(() -> assertThat(oddities.byId(1).name().text()).isEqualTo("odd"));
      assertThat(SEEN_A.tier()).isEqualTo(Tier.SOURCE);
      assertThat(SEEN_A.faults(CacheFault.UNENCODABLE)).isEqualTo(faults + 1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "AQE\u0001", "{\"@class\":\"java.lang.Runtime\"}", "long"})
  void bytes_thatAreNoEntryAreACountedMiss(String garbage) {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(() -> assertThat(bookA.byId(1)).contains(new Book.Flight(1, 7)));
    for (String entry : entries(tenant)) {
      REDIS
          .database()
          .command("SET", entry, garbage.equals("long") ? "\u0001".repeat(9999) : garbage);
    }
    long damaged = SEEN_B.faults(CacheFault.DAMAGED);

    tenant.run(() -> assertThat(bookB.byId(1)).contains(new Book.Flight(1, 7)));

    assertThat(SEEN_B.tier()).isEqualTo(Tier.SOURCE);
    assertThat(SEEN_B.faults(CacheFault.DAMAGED)).isEqualTo(damaged + 1);
  }

  @Test
  void entry_thatIsOfAnotherTypeInRedisIsAFaultAndTheAnswerIsRight() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(() -> assertThat(bookA.byId(1)).contains(new Book.Flight(1, 7)));
    for (String entry : entries(tenant)) {
      REDIS.database().command("DEL", entry);
      REDIS.database().command("RPUSH", entry, "x");
    }

    tenant.run(() -> assertThat(bookB.byId(1)).contains(new Book.Flight(1, 7)));

    assertThat(SEEN_B.tier()).isEqualTo(Tier.SOURCE);
    assertThat(SEEN_B.faults(CacheFault.REMOTE) + SEEN_B.faults(CacheFault.DAMAGED)).isPositive();
  }

  /** Entries are stored after the answer is given: nobody waits for that but this. */
  private static List<String> entries(Tenant tenant) {
    Eventually.within(Duration.ofSeconds(10))
        .until("an entry is stored", () -> !stored(tenant).isEmpty());
    return stored(tenant);
  }

  private static List<String> stored(Tenant tenant) {
    List<String> names = new ArrayList<>();
    if (REDIS.database().command("KEYS", "aq:{" + tenant.id() + "[:.}]*:v:*")
        instanceof List<?> all) {
      all.forEach(name -> names.add(String.valueOf(name)));
    }
    return names;
  }
}
