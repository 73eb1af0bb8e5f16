package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.cache.TtlCategory;
import dev.aquifer.cache.TtlPolicy;
import dev.aquifer.testkit.FakeTicker;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How long a value lives, and what becomes of it when it cannot be loaded again. */
class CacheLifeTest {
  private static final Tenant DFW = Tenant.of("DFW");

  record Quote(String to, int cents, Instant changed) {}

  record Route(String to, Kind kind) {}

  enum Kind {
    SUM,
    ROW
  }

  @Test
  void policies() {
    // snippet: cache-ttl
    CacheSettings.builder().ttlPolicy(TtlPolicy.of(TtlCategory.REFERENCE)); // one of ten, 6 hours
    CacheSettings.builder()
        .ttlPolicy(TtlPolicy.byAge(Quote::changed)); // what changed lately will again
    CacheSettings.builder().ttlPolicy(TtlPolicy.byActivity()); // what is in use stays
    CacheSettings.builder()
        .ttlPolicy(
            TtlPolicy.<Route, Quote, Kind>byKind(
                Route::kind, Map.of(Kind.SUM, Duration.ofHours(1)), Duration.ofMinutes(10)));
    CacheSettings.builder()
        .ttlPolicy(
            (TtlPolicy<Route, Quote>)
                (route, quote, load) -> Duration.ofSeconds(quote.cents() > 0 ? 600 : 5))
        .jitter(0.2);
    // end
    TtlPolicy<Route, Quote> byAge = TtlPolicy.byAge(Quote::changed);
    Instant now = Instant.now();
    assertThat(
            byAge.ttl(
                new Route("LAX", Kind.ROW),
                new Quote("LAX", 1, now.minusSeconds(60)),
                new TtlPolicy.Load(now, Duration.ZERO, null)))
        .isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void stale() throws Exception {
    FakeTicker clock = new FakeTicker();
    Quote first = new Quote("LAX", 9_900, Instant.EPOCH);
    try (Caches caches = Caches.builder().clock(clock).build()) {
      // snippet: cache-stale
      TieredCache<String, Quote> patient =
          caches.cache(
              "patient",
              Quote.class,
              CacheSettings.builder()
                  .ttl(Duration.ofMinutes(5))
                  .staleOnError(Duration.ofHours(1)) // for so long after these five minutes
                  .softTimeout(Duration.ofMillis(100)) // callers wait no longer, if they need not
                  .loadTimeout(Duration.ofSeconds(5)) // nobody does
                  .retryAfter(Duration.ofSeconds(1), Duration.ofSeconds(30))
                  .build());
      // end
      DFW.call(() -> patient.get("LAX", to -> first));
      clock.advance(Duration.ofMinutes(10));
      assertThat(DFW.call(() -> patient.get("LAX", CacheLifeTest::away))).isEqualTo(first);
      assertThat(patient.statistics().staleAnswers()).isEqualTo(1);
      DFW.run(() -> patient.invalidate("LAX"));
      assertThatThrownBy(() -> DFW.call(() -> patient.get("LAX", CacheLifeTest::away)))
          .isInstanceOf(IOException.class);
    }
  }

  private static Quote away(String to) throws IOException {
    throw new IOException("Nobody answers for " + to + '.');
  }
}
