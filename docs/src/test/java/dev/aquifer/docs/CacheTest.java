package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.cache.CacheHealth;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Cached;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.CachingProxy;
import dev.aquifer.cache.Codec;
import dev.aquifer.cache.Evicts;
import dev.aquifer.cache.RemoteLossPolicy;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.cache.TypeRef;
import dev.aquifer.testkit.RedisExtension;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CacheTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  record Quote(String from, String to, int cents) {}

  private final AtomicInteger asked = new AtomicInteger();

  private Quote fetch(String from, String to) {
    asked.incrementAndGet();
    return new Quote(from, to, 9_900);
  }

  @Test
  void cache() throws Exception {
    String redis = REDIS.database().uri().toString();
    // snippet: cache
    Caches caches = Caches.builder().redis(redis).memoryBytes(64L << 20).build();
    TieredCache<String, Quote> quotes =
        caches.cache(
            "quotes",
            Quote.class,
            CacheSettings.builder().ttl(Duration.ofMinutes(5)).tags(Tag.of("tariff")).build());

    Quote quote = Tenant.of("DFW").call(() -> quotes.get("LAX", to -> fetch("DFW", to)));
    // end
    try (caches) {
      assertThat(quote).isEqualTo(new Quote("DFW", "LAX", 9_900));
      Tenant.of("DFW").call(() -> quotes.get("LAX", to -> fetch("DFW", to)));
      assertThat(asked).hasValue(1);
      assertThat(quotes.statistics().memoryHits()).isEqualTo(1);
      Tenant.of("ATL").call(() -> quotes.get("LAX", to -> fetch("ATL", to)));
      assertThat(asked).hasValue(2);

      // snippet: cache-void
      Tenant.of("DFW")
          .run(
              () -> {
                quotes.invalidate("LAX"); // one key
                quotes.invalidateAll(); // all that this cache has of the tenant
                caches.invalidateTags(Tag.of("tariff")); // whatever depends on it, in any cache
                caches.invalidateTenant(); // everything of the tenant
              });
      // end
      Tenant.of("DFW").call(() -> quotes.get("LAX", to -> fetch("DFW", to)));
      assertThat(asked).hasValue(3);
      Tenant.of("ATL").call(() -> quotes.get("LAX", to -> fetch("ATL", to)));
      assertThat(asked).hasValue(3);
    }
  }

  @Test
  void more() throws Exception {
    try (Caches caches = Caches.builder().build()) {
      // snippet: cache-more
      TieredCache<String, List<Quote>> offers =
          caches.cache(
              "offers",
              new TypeRef<List<Quote>>() {},
              CacheSettings.defaults(),
              (to, found) -> Set.of(Tag.of("airport", to))); // depends on key or value

      Map<String, List<Quote>> both =
          Tenant.of("DFW")
              .call(
                  () ->
                      offers.getAll(
                          Set.of("LAX", "SFO"),
                          missing -> {
                            Map<String, List<Quote>> loaded = new HashMap<>();
                            missing.forEach(to -> loaded.put(to, List.of(fetch("DFW", to))));
                            return loaded;
                          }));
      // end
      assertThat(both).containsOnlyKeys("LAX", "SFO");
      Tenant.of("DFW").run(() -> caches.invalidateTags(Tag.of("airport", "LAX")));
      Tenant.of("DFW")
          .run(
              () -> {
                assertThat(offers.getIfPresent("LAX")).isNull();
                assertThat(offers.getIfPresent("SFO")).isNotNull();
              });
    }
  }

  // snippet: cache-proxy
  public interface Tariffs {
    @Cached(ttl = "1h", negativeTtl = "30s", tags = "tariff:{to}")
    Optional<Quote> quote(String from, String to);

    @Evicts(tags = "tariff:{quote.to}")
    void change(Quote quote);
  }

  // end

  @Test
  void proxy() throws Exception {
    Map<String, Quote> kept = new ConcurrentHashMap<>();
    Tariffs remoteService =
        new Tariffs() {
          @Override
          public Optional<Quote> quote(String from, String to) {
            asked.incrementAndGet();
            return Optional.ofNullable(kept.get(to));
          }

          @Override
          public void change(Quote quote) {
            kept.put(quote.to(), quote);
          }
        };
    try (Caches caches = Caches.builder().build()) {
      // snippet: cache-proxy-use
      Tariffs tariffs = CachingProxy.of(Tariffs.class, remoteService, caches);
      // end
      Tenant.of("DFW")
          .run(
              () -> {
                assertThat(tariffs.quote("DFW", "LAX")).isEmpty();
                assertThat(tariffs.quote("DFW", "LAX")).isEmpty();
                assertThat(asked).hasValue(1);
                tariffs.change(new Quote("DFW", "LAX", 1));
                assertThat(tariffs.quote("DFW", "LAX")).isPresent();
              });
    }
  }

  @Test
  void loss() {
    String redis = REDIS.database().uri().toString();
    // snippet: cache-loss
    Caches caches =
        Caches.builder()
            .redis(redis)
            .redisRequired(false) // starts, and loads, where Redis is not there yet
            .silenceLimit(Duration.ofSeconds(1))
            .build();
    CacheSettings lenient =
        CacheSettings.builder()
            .remoteLoss(RemoteLossPolicy.serveMemory(Duration.ofSeconds(30)))
            .build();
    CacheHealth health = caches.health(); // usable, proven, silence, pending
    // end
    try (caches) {
      assertThat(health.pending()).isZero();
      assertThat(lenient.remoteLoss().tolerance()).hasSeconds(30);
    }
  }

  // snippet: cache-codec
  static final class TextCodec implements Codec {
    @Override
    public int id() {
      return 16;
    }

    @Override
    public int version() {
      return 1;
    }

    @Override
    public ForType forType(Type type) {
      return new ForType() {
        @Override
        public byte[] encode(Object value) {
          return value.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public Object decode(byte[] bytes) {
          return new String(bytes, StandardCharsets.UTF_8);
        }
      };
    }
  }

  // end

  @Test
  void codec() throws Exception {
    String redis = REDIS.database().uri().toString();
    try (Caches one = Caches.builder().redis(redis).codec(new TextCodec()).build();
        Caches two = Caches.builder().redis(redis).codec(new TextCodec()).build()) {
      TieredCache<String, String> here = one.cache("text", String.class, CacheSettings.defaults());
      TieredCache<String, String> there = two.cache("text", String.class, CacheSettings.defaults());
      assertThat(Tenant.of("DFW").call(() -> here.get("k", k -> "é"))).isEqualTo("é");
      assertThat(Tenant.of("DFW").call(() -> there.get("k", k -> "elsewhere"))).isEqualTo("é");
    }
  }
}
