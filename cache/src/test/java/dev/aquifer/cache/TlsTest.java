package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The link to Redis by TLS: whom it trusts, and whom not. */
class TlsTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();
  @TempDir static Path folder;

  private static final Duration SOON = Duration.ofSeconds(20);

  private static TlsFront front(String names) throws Exception {
    return new TlsFront(REDIS.server().port(), names, folder);
  }

  private static String uri(TlsFront front) {
    return "rediss://127.0.0.1:" + front.port() + "/" + REDIS.database().index();
  }

  @Test
  void voids_byTls_arrive() throws Exception {
    AtomicInteger delay = new AtomicInteger();
    try (TlsFront front = front("ip:127.0.0.1");
        TestNode one = TestNode.open(uri(front), c -> c.redisTrust(front.certificate()));
        TestNode two = TestNode.open(uri(front), c -> c.redisTrust(front.certificate()))) {
      one.read(1, id -> new Flight(id, "HNL", delay.get()));
      two.read(1, id -> new Flight(id, "HNL", delay.get()));
      delay.set(1);
      one.invalidate(FLIGHT);
      Eventually.within(SOON)
          .until("two", () -> two.read(1, id -> new Flight(id, "HNL", delay.get())).delay() == 1);
    }
  }

  @Test
  void build_certificateOfAStranger_isRefused() throws Exception {
    try (TlsFront front = front("ip:127.0.0.1");
        TlsFront other = front("ip:127.0.0.1,dns:other")) {
      refused(Caches.builder().redis(uri(front)).connectTimeout(SOON));
      refused(
          Caches.builder().redis(uri(front)).redisTrust(other.certificate()).connectTimeout(SOON));
    }
  }

  @Test
  void build_certificateOfAnotherHost_isRefused() throws Exception {
    try (TlsFront front = front("dns:redis.example")) {
      refused(
          Caches.builder().redis(uri(front)).redisTrust(front.certificate()).connectTimeout(SOON));
    }
  }

  private static void refused(CachesBuilder builder) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("TLS failed")
        .hasMessageContaining("redisTrust");
  }

  @Test
  void build_trustThatCannotBe_isRefused() {
    assertThatThrownBy(
            () ->
                Caches.builder()
                    .redis("rediss://127.0.0.1:1")
                    .redisTrust(folder.resolve("missing.pem"))
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("missing.pem");
    assertThatThrownBy(
            () ->
                Caches.builder()
                    .redis("redis://127.0.0.1:1")
                    .redisTrust(folder.resolve("missing.pem"))
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("rediss://");
  }
}
