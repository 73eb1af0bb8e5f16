package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Tenants, caches and keys that are made to collide: each has its own names in Redis, its own
 * values, its own voids.
 */
@RedisTest
class CacheIsolationTest {
  private static final List<String> TENANTS =
      List.of("a", "A", "a:0", "a.0", "a-0", "a_0", "0", "a0", "0a", "aq", "v", "a.b", "ab", "-")
          .stream()
          .filter(CacheIsolationTest::isTenant)
          .toList();
  private static final List<String> CACHES =
      List.of("c", "C", "1", "1c", "c1", "c.c", "c$", "-", "v", "000000000000", "c-1", "c.1");
  private static final String[] PIECES = {
    "",
    ":",
    ";",
    "1",
    "11",
    "{",
    "}",
    "{a}",
    "*",
    "?",
    "[",
    "]",
    "=",
    "#",
    "s1:",
    "l1;",
    "k:",
    "c:",
    "t:",
    "e\u0301",
    "\u00e9",
    "\uD83D\uDE80",
    "\uD83D",
    "\uDE80",
    "\uD83E",
    "\0",
    "\n",
    " ",
    "a",
    "aq:{a:0}:v:",
    "x:c",
    "\u212b",
    "\u00c5",
    "\uFFFD"
  };

  private static boolean isTenant(String id) {
    try {
      return !Tenant.of(id).id().isEmpty();
    } catch (RuntimeException e) {
      return false;
    }
  }

  record Pair(@Nullable Object one, @Nullable Object two) {}

  record Other(@Nullable Object one, @Nullable Object two) {}

  enum Letter {
    a,
    b
  }

  private static String text(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      text.append(PIECES[random.nextInt(PIECES.length)]);
    }
    // Beyond the length from which a digest stands for the text.
    return random.nextInt(20) == 0 ? text + "x".repeat(254 + random.nextInt(4)) : text.toString();
  }

  private static @Nullable Object key(RandomGenerator random, int depth) {
    return switch (random.nextInt(depth > 2 ? 7 : 13)) {
      case 0, 1 -> text(random);
      case 2 -> random.nextLong(-2, 12);
      case 3 -> random.nextInt(-2, 12);
      case 4 -> (char) (random.nextBoolean() ? '1' : 0xD800 + random.nextInt(3));
      case 5 -> random.nextBoolean() ? Letter.a : Letter.b;
      case 6 -> depth == 0 ? text(random) : null;
      case 7 -> new Pair(key(random, depth + 1), key(random, depth + 1));
      case 8 -> new Other(key(random, depth + 1), key(random, depth + 1));
      case 9 -> new ArrayList<>(Arrays.asList(key(random, depth + 1), key(random, depth + 1)));
      case 10 -> new ArrayList<>(Arrays.asList(key(random, depth + 1)));
      case 11 -> Optional.ofNullable(key(random, depth + 1));
      default -> {
        Map<Object, Object> map = new HashMap<>();
        map.put(key(random, depth + 1), key(random, depth + 1));
        yield map;
      }
    };
  }

  /** Everything that keeps a value apart from others. */
  private record Place(String tenant, String cache, String schema, Object key) {}

  @Test
  void distinctPlaces_haveDistinctNamesAndAgain() {
    Node node;
    try (Caches caches = Caches.builder().build()) {
      node = caches.node();
      Map<String, CacheCore> cores = new HashMap<>();
      for (String cache : CACHES) {
        for (Class<?> type : List.of(Letter.class, String.class)) {
          cores.put(cache + type, new CacheCore(cache, type, CacheSettings.defaults(), null, node));
        }
      }
      Map<String, Place> stored = new HashMap<>();
      Map<Object, String> texts = new HashMap<>();
      Map<String, Object> keys = new HashMap<>();
      Map<String, List<Object>> voids = new HashMap<>();
      Proof.of("cache-isolation")
          .tries(20_000, 1_000_000)
          .each(
              random -> {
                if (stored.size() > 200_000) {
                  List.of(stored, texts, keys, voids).forEach(Map::clear);
                }
                Object key = key(random, 0);
                String text = KeyText.of(key);
                assertThat(new String(StoredKeys.bytes(text), StandardCharsets.UTF_8))
                    .isEqualTo(text);
                assertThat(texts.computeIfAbsent(key, k -> text)).isEqualTo(text);
                assertThat(keys.computeIfAbsent(text, t -> key)).isEqualTo(key);

                Tenant tenant = Tenant.of(TENANTS.get(random.nextInt(TENANTS.size())));
                String cache = CACHES.get(random.nextInt(CACHES.size()));
                CacheCore core =
                    cores.get(cache + (random.nextBoolean() ? Letter.class : String.class));
                TenantView view = new TenantView(core, node.partitions(tenant), node.shared);
                Place place = new Place(tenant.id(), cache, core.values.schema, key);
                Remote.Stored at = StoredKeys.of(view, text);
                for (byte[] name : List.of(at.entry(), at.lease())) {
                  String named = new String(name, StandardCharsets.ISO_8859_1);
                  String marked = named;
                  assertThat(stored.computeIfAbsent(marked, n -> place)).isEqualTo(place);
                  // The first braces are the slot's, whatever the key contains.
                  assertThat(named.substring(named.indexOf('{') + 1, named.indexOf('}')))
                      .isEqualTo(tenant.id() + ":0");
                }
                List<Object> voided = List.of(cache, key);
                String name = KeyText.keyName(cache, text);
                assertThat(voids.computeIfAbsent(name, n -> voided)).isEqualTo(voided);
                assertThat(KeyText.cacheName(cache)).isNotEqualTo(name);
                String tag =
                    text.substring(0, Math.min(200, text.length())).replaceAll("\\p{Cntrl}", "");
                List<String> names = List.of(name, KeyText.tagName(tag), KeyText.cacheName(cache));
                assertThat(Names.read(Names.write(names))).isEqualTo(names);
              });
    }
  }

  @Test
  void tags_ofHalfACharacter_areRefusedSinceTheyWouldBeOneInRedis() {
    assertThatThrownBy(() -> Tag.of("a\uD83D")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Tag.of("\uDE80a")).isInstanceOf(IllegalArgumentException.class);
    assertThat(Tag.of("\uD83D\uDE80").name()).hasSize(2);
    assertThat(Tag.table("a\uD83D").name()).isEqualTo("table:a_");
  }

  @Test
  void values_ofOthers_areNeverSeenThroughRedis(RedisDatabase redis) {
    Duration patient = Duration.ofSeconds(20);
    try (TestNode writer =
            TestNode.open(
                redis.uri().toString(),
                b ->
                    b.remoteTimeout(patient)
                        .leaseTime(patient.multipliedBy(2))
                        .silenceLimit(patient.multipliedBy(3)));
        TestNode reader =
            TestNode.open(
                redis.uri().toString(),
                b ->
                    b.memoryBytes(0)
                        .remoteTimeout(patient)
                        .leaseTime(patient.multipliedBy(2))
                        .silenceLimit(patient.multipliedBy(3)))) {
      List<String> caches = CACHES.subList(0, 4);
      List<Object> keys =
          List.of(
              "",
              ":",
              "1",
              1,
              1L,
              "{b}",
              "*",
              "e\u0301",
              "\u00e9",
              "\uD83D",
              "\uD83E",
              "?",
              List.of("1"),
              new Pair("1", null),
              new Other("1", null),
              "x".repeat(300),
              "x".repeat(301));
      Map<String, TieredCache<Object, String>> writing = new HashMap<>();
      Map<String, TieredCache<Object, String>> reading = new HashMap<>();
      for (String cache : caches) {
        CacheSettings settings = CacheSettings.builder().tags(Tag.of("all")).build();
        writing.put(cache, writer.caches().cache(cache, String.class, settings));
        reading.put(cache, reader.caches().cache(cache, String.class, settings));
      }
      List<Tenant> tenants = TENANTS.stream().limit(5).map(Tenant::of).toList();
      for (Tenant tenant : tenants) {
        // A value is put only into a partition that the node knows.
        tenant.run(() -> writer.flights().get(0L, id -> null));
        for (String cache : caches) {
          for (Object key : keys) {
            String value = tenant + "/" + cache + "/" + KeyText.of(key);
            tenant.run(() -> writing.get(cache).put(key, value));
          }
        }
      }
      Tenant voided = tenants.get(1);
      voided.run(() -> writer.caches().invalidateTags(Tag.of("all")));
      for (Tenant tenant : tenants) {
        for (String cache : caches) {
          for (Object key : keys) {
            String[] found = new String[1];
            Runnable look = () -> found[0] = reading.get(cache).getIfPresent(key);
            if (tenant.equals(voided)) {
              tenant.run(look);
              assertThat(found[0]).isNull();
            } else {
              Eventually.within(patient)
                  .until(
                      "stored",
                      () -> {
                        tenant.run(look);
                        return found[0] != null;
                      });
              assertThat(found[0]).isEqualTo(tenant + "/" + cache + "/" + KeyText.of(key));
            }
          }
        }
      }
      assertThat(reader.faults()).isEmpty();
      assertThat(Set.copyOf(tenants)).hasSize(5);
    }
  }
}
