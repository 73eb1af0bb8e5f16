package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.batch.BatchRetry;
import dev.aquifer.batch.BatchSettings;
import dev.aquifer.batch.BatchSink;
import dev.aquifer.batch.Batcher;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.CacheWriter;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.Codec;
import dev.aquifer.cache.ForyCodec;
import dev.aquifer.cache.TieredCache;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BatchesTest {
  record Quote(String from, String to, int cents) {}

  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Map<String, Quote> table = new ConcurrentHashMap<>();

  private void insert(List<String> items) {
    lines.addAll(items);
  }

  @Test
  void codecs() {
    try (Caches caches = Caches.builder().build()) {
      // snippet: codecs
      TieredCache<String, Quote> legible =
          caches.cache("quotes", Quote.class, CacheSettings.builder().codec(Codec.json()).build());
      TieredCache<String, byte[]> pictures =
          caches.cache(
              "pictures", byte[].class, CacheSettings.builder().codec(Codec.bytes()).build());
      Codec fory = ForyCodec.builder().register(Quote.class, 1).build(); // 1 is Quote's for good
      TieredCache<String, Quote> fast =
          caches.cache("fast", Quote.class, CacheSettings.builder().codec(fory).build());
      // end
      Quote quote = new Quote("DFW", "LAX", 1);
      for (TieredCache<String, Quote> cache : List.of(legible, fast)) {
        Tenant.of("DFW").run(() -> cache.put("LAX", quote));
        assertThat(cache.name()).isNotEmpty();
      }
      assertThat(pictures.name()).isEqualTo("pictures");
    }
  }

  @Test
  void batcher() throws Exception {
    ScheduledExecutorService threads = Executors.newScheduledThreadPool(2);
    // snippet: batcher
    Batcher<String> lines =
        Batcher.of(
            BatchSink.blocking(this::insert), // one call for many items
            BatchSettings.builder()
                .maxItems(1_000)
                .linger(Duration.ofMillis(2))
                .retry(BatchRetry.upTo(2, Duration.ofMillis(100)))
                .build(),
            threads, // where the sink is called
            threads); // where what is late is timed
    CompletableFuture<?> acknowledged = lines.add("AA 100 departed");
    // end
    acknowledged.get(20, TimeUnit.SECONDS);
    lines.close();
    threads.shutdown();
    assertThat(this.lines).containsExactly("AA 100 departed");
  }

  @Test
  void writer() throws Exception {
    try (Caches caches = Caches.builder().build()) {
      TieredCache<String, Quote> quotes =
          caches.cache("quotes", Quote.class, CacheSettings.defaults());
      // snippet: writer
      CacheWriter<String, Quote> writer =
          quotes.writer(many -> table.putAll(many), BatchSettings.defaults());
      CompletableFuture<?> written =
          Tenant.of("DFW").call(() -> writer.write("LAX", new Quote("DFW", "LAX", 9_900)));
      // end
      written.get(20, TimeUnit.SECONDS);
      writer.close();
      assertThat(table).containsKey("LAX");
      assertThat(Tenant.of("DFW").call(() -> quotes.getIfPresent("LAX"))).isNotNull();
    }
  }
}
