package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.testkit.HistoryChecker;
import dev.aquifer.testkit.HistoryVerdict;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

@RedisTest
class HistoryTest {
  @Test
  void history_ofOneNode_isFresh(RedisDatabase redis) throws Exception {
    Tenant airport = Tenant.of("DFW");
    AtomicLong source = new AtomicLong(1);
    try (Caches caches = Caches.builder().redis(redis.uri().toString()).build()) {
      TieredCache<String, Long> quotes =
          caches.cache("quotes", Long.class, CacheSettings.defaults());

      // snippet: history
      HistoryChecker history = HistoryChecker.create();
      HistoryChecker.Item quote = history.item("quote:LAX");
      HistoryChecker.Session session = history.session("node-1"); // one for each line of work

      for (int i = 0; i < 100; i++) {
        long begun = history.now();
        long version = source.incrementAndGet(); // the write, and then its void:
        airport.run(() -> quotes.invalidate("LAX"));
        session.write(quote, begun, version);

        begun = history.now();
        long read = airport.call(() -> quotes.get("LAX", to -> source.get()));
        session.read(quote, begun, read);
      }

      HistoryVerdict verdict = history.check(Duration.ofSeconds(2));
      verdict.assertFresh(); // else: each stale read, and what went on around it
      // end
      assertThat(verdict.operations()).isEqualTo(200);
    }
  }
}
