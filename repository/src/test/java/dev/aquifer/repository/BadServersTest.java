package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Servers that are not there, or do not let us in: said at the start, within a limit, with the name
 * of the server and without the password.
 */
@Timeout(60)
class BadServersTest {
  private static final String WRONG = "wr0ng-guess";
  private static final String SECRET = "s3cret-of-redis";

  @RegisterExtension
  static final PostgresExtension POSTGRES = PostgresExtension.shared().schema(Nodes.schema());

  @RegisterExtension
  static final RedisExtension GUARDED = RedisExtension.own(RedisServer.builder().password(SECRET));

  /** Fails to build, leaves nothing behind, and says so with all of these words. */
  private static void refused(
      AquiferBuilder builder, Class<? extends AquiferException> type, String... words) {
    LeakCheck.of()
        .threads("aquifer-")
        .threads("lettuce-")
        .limit(Duration.ofSeconds(20))
        .around(
            () -> {
              Throwable error =
                  catchThrowable(
                      () -> {
                        builder.build().close();
                        throw new AssertionError("it was built");
                      });
              assertThat(error).isInstanceOf(type).hasMessageContainingAll(words);
              StringWriter all = new StringWriter();
              error.printStackTrace(new PrintWriter(all));
              assertThat(all.toString())
                  .doesNotContain(WRONG, SECRET, POSTGRES.database().password());
            });
  }

  @Test
  void build_unknownHostOfThePrimary() {
    refused(
        Aquifer.builder()
            .primary("jdbc:postgresql://no-such-host.invalid:6543/app")
            .credentials("clerk", WRONG)
            .database(settings -> settings.startupTimeout(Duration.ofSeconds(1))),
        UnavailableException.class,
        "no-such-host.invalid:6543",
        "clerk",
        "check the url");
  }

  @Test
  void build_nothingListensWhereThePrimaryShouldBe() {
    refused(
        Aquifer.builder()
            .primary("jdbc:postgresql://127.0.0.1:1/app")
            .credentials("clerk", WRONG)
            .database(settings -> settings.startupTimeout(Duration.ofSeconds(1))),
        UnavailableException.class,
        "127.0.0.1:1",
        "clerk");
  }

  @Test
  void build_wrongPasswordOfThePrimary() {
    refused(
        Aquifer.builder()
            .primary(POSTGRES.database().url())
            .credentials(POSTGRES.database().user(), WRONG),
        ConfigurationException.class,
        "127.0.0.1:" + POSTGRES.cluster().primary().port(),
        "'" + POSTGRES.database().user() + "'",
        "check user, password");
  }

  @Test
  void build_noSuchDatabase() {
    refused(
        Aquifer.builder()
            .primary(POSTGRES.cluster().primary().url("not_there"))
            .credentials(POSTGRES.database().user(), POSTGRES.database().password()),
        ConfigurationException.class,
        "not_there",
        "create it");
  }

  @Test
  void build_noPrimary() {
    refused(Aquifer.builder(), ConfigurationException.class, "No primary", "primary(");
  }

  @Test
  void build_unknownHostOfRedis() {
    refused(
        Nodes.on(POSTGRES.database())
            .redis("redis://clerk:" + WRONG + "@no-such-host.invalid:6390"),
        UnavailableException.class,
        "no-such-host.invalid:6390",
        "its name cannot be resolved; check the host");
  }

  @Test
  void build_wrongPasswordOfRedis() {
    refused(
        Nodes.on(POSTGRES.database()).redis(redis(":" + WRONG + "@")),
        UnavailableException.class,
        GUARDED.server().host() + ":" + GUARDED.server().port(),
        "user and password");
  }

  @Test
  void build_noPasswordForRedis() {
    refused(
        Nodes.on(POSTGRES.database()).redis(redis("")),
        UnavailableException.class,
        GUARDED.server().host() + ":" + GUARDED.server().port(),
        "user and password");
  }

  @Test
  void build_noAddressOfRedis() {
    refused(
        Nodes.on(POSTGRES.database()).redis("cache-of:" + WRONG),
        ConfigurationException.class,
        "redis://");
  }

  @Test
  void build_rightPasswordOfRedis() {
    Seen seen = new Seen();
    try (Aquifer first = Nodes.on(POSTGRES.database()).redis(redis(":" + SECRET + "@")).build();
        Aquifer second =
            Nodes.on(POSTGRES.database()).redis(redis(":" + SECRET + "@")).observer(seen).build()) {
      Book book = first.repository(Book.class);
      Book other = second.repository(Book.class);
      Nodes.tenant(book, 1, 7)
          .run(
              () -> {
                assertThat(book.byId(1)).isPresent();
                assertThat(other.byId(1)).isPresent();
              });
      assertThat(seen.tier()).isEqualTo(Tier.L2);
    }
  }

  private static String redis(String credentials) {
    return "redis://" + credentials + GUARDED.server().host() + ":" + GUARDED.server().port();
  }
}
