package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisExtension;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tenants, caches and keys whose names would run into each other if they were merely joined. Every
 * value names whose it is; a map beside the caches says what each must hold.
 */
@Timeout(120)
class IsolationProofTest {
  private static final List<Tenant> TENANTS =
      List.of("a", "A", "a.b", "a-b", "a.b.c", "b", "0", "1", "aq", "x".repeat(64)).stream()
          .map(Tenant::of)
          .toList();
  private static final List<String> CACHES = List.of("x", "x.x");
  private static final List<String> KEYS =
      List.of(
          "",
          " ",
          "a",
          "a:b",
          "a:b:c",
          "b",
          "{x}",
          "}:{",
          "x",
          "x.x",
          "1:a",
          "=a",
          "#a",
          "\n",
          "*",
          "\u0000",
          "é",
          "e\u0301",
          "\uD83D\uDE00",
          "\u202Ea",
          "k".repeat(600),
          "k".repeat(600) + "1",
          "k".repeat(250) + ":1");
  private static final int STEPS = 8;

  @RegisterExtension static final PostgresExtension POSTGRES = PostgresExtension.shared();
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private record Place(Tenant tenant, String cache, String key) {}

  /** A value that says whose it is. */
  record Owned(String tenant, String cache, String key, int version) {}

  private static final class Node implements AutoCloseable {
    final Aquifer aquifer = Nodes.on(POSTGRES.database(), REDIS.database()).build();
    final Map<String, TieredCache<String, Owned>> caches = new HashMap<>();

    Node() {
      CacheSettings settings = CacheSettings.builder().tags(Tag.of("rows")).build();
      for (String name : CACHES) {
        caches.put(name, aquifer.caches().cache(name, Owned.class, settings));
      }
    }

    TieredCache<String, Owned> cache(String name) {
      return Objects.requireNonNull(caches.get(name));
    }

    @Override
    public void close() {
      aquifer.close();
    }
  }

  @Test
  void valuesOfTenantsCachesAndKeysNeverMix() {
    try (Node first = new Node();
        Node second = new Node()) {
      Map<Place, Integer> model = new HashMap<>();
      Proof.of("isolation")
          .tries(150, 15_000)
          .each(
              random -> {
                for (int step = 0; step < STEPS; step++) {
                  boolean swap = random.nextBoolean();
                  step(random, swap ? first : second, swap ? second : first, model);
                }
              });
    }
  }

  private static void step(RandomGenerator random, Node node, Node other, Map<Place, Integer> model)
      throws Exception {
    Tenant tenant = any(random, TENANTS);
    Place place = new Place(tenant, any(random, CACHES), any(random, KEYS));
    if (random.nextInt(4) == 0) {
      tenant.call(() -> change(random, node, other, place, model));
    }
    Place read =
        random.nextBoolean() ? place : new Place(tenant, any(random, CACHES), any(random, KEYS));
    assertThat(tenant.call(() -> read(node, read, model)))
        .isEqualTo(owned(read, model.getOrDefault(read, 0)));
  }

  /** Changes what the place holds, voids it in one of four ways, and tells the other node. */
  private static boolean change(
      RandomGenerator random, Node node, Node other, Place place, Map<Place, Integer> model) {
    model.merge(place, 1, Integer::sum);
    switch (random.nextInt(4)) {
      case 0 -> node.cache(place.cache()).invalidate(place.key());
      case 1 -> node.aquifer.caches().invalidateTags(Tag.of("rows"));
      case 2 -> node.aquifer.caches().invalidateCache(place.cache());
      default -> node.aquifer.caches().invalidateTenant();
    }
    other.aquifer.accept(node.aquifer.token());
    return true;
  }

  private static @Nullable Owned read(Node node, Place place, Map<Place, Integer> model) {
    return node.cache(place.cache())
        .get(place.key(), key -> owned(place, model.getOrDefault(place, 0)));
  }

  private static Owned owned(Place place, int version) {
    return new Owned(place.tenant().id(), place.cache(), place.key(), version);
  }

  private static <T> T any(RandomGenerator random, List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
