package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A transaction sees what it wrote, though the same rows are cached; nobody else does until it
 * commits, and nothing that was not committed is ever remembered.
 */
class TransactionTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES = PostgresExtension.shared().schema(Nodes.schema());

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Seen SEEN = new Seen();
  private static Aquifer a;
  private static Aquifer b;
  private static Book bookA;
  private static Book bookB;

  @BeforeAll
  static void start() {
    a = Nodes.on(POSTGRES.database(), REDIS.database()).observer(SEEN).build();
    b = Nodes.on(POSTGRES.database(), REDIS.database()).build();
    bookA = a.repository(Book.class);
    bookB = b.repository(Book.class);
  }

  @AfterAll
  static void close() {
    a.close();
    b.close();
  }

  private static int delay(Book book) {
    return book.byId(1).orElseThrow().delay();
  }

  private static Tenant cachedOnBoth() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(
        () -> {
          assertThat(delay(bookA)).isEqualTo(7);
          assertThat(delay(bookB)).isEqualTo(7);
        });
    return tenant;
  }

  @Test
  void read_afterAWriteInTheSameTransactionSeesIt() {
    cachedOnBoth()
        .run(
            () -> {
              a.jdbi()
                  .useTransaction(
                      handle -> {
                        bookA.delay(1, 8);
                        assertThat(delay(bookA)).isEqualTo(8);
                        assertThat(delay(bookB)).isEqualTo(7);
                      });
              assertThat(delay(bookA)).isEqualTo(8);
            });
  }

  @Test
  void read_inATransactionThatRollsBackIsNotRemembered() {
    cachedOnBoth()
        .run(
            () -> {
              a.jdbi()
                  .useTransaction(
                      handle -> {
                        bookA.delay(1, 8);
                        assertThat(delay(bookA)).isEqualTo(8);
                        handle.rollback();
                      });
              assertThat(delay(bookA)).isEqualTo(7);
              assertThat(delay(bookB)).isEqualTo(7);
            });
  }

  @Test
  void firstRead_inATransactionThatRollsBackIsNotRemembered() {
    Nodes.tenant(bookA, 1, 7)
        .run(
            () -> {
              a.jdbi()
                  .useTransaction(
                      handle -> {
                        bookA.delay(1, 8);
                        assertThat(delay(bookA)).isEqualTo(8);
                        handle.rollback();
                      });
              assertThat(delay(bookB)).isEqualTo(7);
              assertThat(delay(bookA)).isEqualTo(7);
            });
  }

  @Test
  void read_afterTheTransactionIsCachedAgain() {
    cachedOnBoth()
        .run(
            () -> {
              a.jdbi().useTransaction(handle -> bookA.delay(1, 8));
              assertThat(delay(bookA)).isEqualTo(8);
              assertThat(delay(bookA)).isEqualTo(8);
              assertThat(SEEN.tier()).isEqualTo(Tier.L1);
            });
  }

  @Test
  void read_onAHandleWithoutTransactionIsCached() {
    cachedOnBoth()
        .run(
            () -> {
              long before = SEEN.answers(Tier.L1);
              a.jdbi().useHandle(handle -> assertThat(delay(bookA)).isEqualTo(7));
              assertThat(SEEN.answers(Tier.L1)).isEqualTo(before + 1);
            });
  }

  @Test
  void transactionMethod_readsWhatItWrote() {
    cachedOnBoth()
        .run(
            () -> {
              assertThat(bookA.delayAndRead(1, 8)).isEqualTo(8);
              assertThat(delay(bookA)).isEqualTo(8);
            });
  }

  @Test
  void transactionMethod_thatThrowsLeavesNothingBehind() {
    cachedOnBoth()
        .run(
            () -> {
              assertThatThrownBy(() -> bookA.delayAndFail(1, 8))
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessage("after 8");
              assertThat(delay(bookA)).isEqualTo(7);
              assertThat(delay(bookB)).isEqualTo(7);
            });
  }

  @Test
  void otherThreads_areServedFromTheCacheMeanwhile() {
    Tenant tenant = cachedOnBoth();
    tenant.run(
        () ->
            a.jdbi()
                .useTransaction(
                    handle -> {
                      bookA.delay(1, 8);
                      int other =
                          CompletableFuture.supplyAsync(() -> at(tenant))
                              .orTimeout(10, TimeUnit.SECONDS)
                              .join();
                      assertThat(other).isEqualTo(7);
                      handle.rollback();
                    }));
  }

  private static int at(Tenant tenant) {
    try {
      return tenant.call(() -> delay(bookA));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
