package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.CausalToken;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Adoption.Mode;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.CacheUnderTest;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A node of Aquifer as a schedule drives it. */
final class HistoryNode implements CacheUnderTest {
  private static final Tag TABLE = Tag.table("rows");

  private final Caches caches;
  private final CausalSessions sessions;
  private final HistoryPositions positions;
  private final AtomicLong transactions = new AtomicLong();
  private final Map<String, TieredCache<Integer, Row>> byName = new HashMap<>();

  HistoryNode(Host host, Consumer<Guards> guards) {
    this(host, guards, false);
  }

  /**
   * @param renewing whether a cache loads its values again all the time before they expire, and
   *     serves them for a while after
   */
  HistoryNode(Host host, Consumer<Guards> guards, boolean renewing) {
    long offset = host.clockOffset().toNanos();
    LongSupplier clock = () -> System.nanoTime() + offset;
    this.sessions = new CausalSessions(clock);
    this.positions = new HistoryPositions(host.commits());
    // The nodes agree on two tenants, and not on others.
    int mine = 1 + Math.floorMod(host.name().hashCode(), 3);
    this.caches =
        Caches.builder()
            .partitions(Tenant.of("busy1"), mine)
            .partitions(Tenant.of("quiet2"), 3)
            .partitions(Tenant.of("quiet3"), mine)
            .partitions(Tenant.of("quiet4"), 4 - mine)
            .redis(host.redis().toString())
            .sessions(sessions)
            .positions(positions)
            .poisonLimit(host.transactionLimit())
            .clock(clock)
            .silenceLimit(host.silenceLimit())
            .remoteTimeout(Duration.ofMillis(100))
            .executor(host.executor())
            .codec(new InterruptedCodec(host.stumble(), host.stumble()))
            .build();
    guards.accept(caches.node().guards);
    CacheSettings.Builder settings = CacheSettings.builder().tags(TABLE);
    byName.put("rows", caches.cache("rows", Row.class, settings.build()));
    byName.put(
        "groups",
        caches.cache(
            "groups",
            new TypeRef<Row>() {},
            (renewing ? renewing(settings) : settings).build(),
            (key, row) -> Set.of(group(new Place("", "groups", key)))));
  }

  @Override
  public void change(int way) {
    Limits.Builder limits = Limits.builder();
    Adoption adoption = Adoption.of(Mode.ON);
    if (way > 0) {
      switch (way % 6) {
        case 0 -> adoption = Adoption.of(Mode.SHADOW);
        case 1 -> adoption = Adoption.of(Mode.OFF);
        case 2 -> adoption = adoption.keys(50, Mode.SHADOW);
        case 3 -> limits.loads(100, 20).concurrentLoads(2, 20);
        case 4 -> limits.invalidations(10, 3);
        default -> limits.loads(100, 20).invalidations(10, 3).shared(true);
      }
    }
    caches.adoption(adoption);
    caches.limits(limits.build());
  }

  private static CacheSettings.Builder renewing(CacheSettings.Builder settings) {
    return settings
        .ttl(Duration.ofSeconds(2))
        .refreshAhead(50)
        .staleOnError(Duration.ofMinutes(1))
        .softTimeout(Duration.ofMillis(5));
  }

  private static Tag group(Place place) {
    return Tag.of("group", Integer.toString(place.group()));
  }

  Caches caches() {
    return caches;
  }

  @Override
  public long memoryHits() {
    return caches.statistics().values().stream().mapToLong(CacheStatistics::memoryHits).sum();
  }

  @Override
  public long remoteHits() {
    return caches.statistics().values().stream().mapToLong(CacheStatistics::remoteHits).sum();
  }

  @Override
  public Session session(String tenant) {
    return new Line(Tenant.of(tenant), sessions.open());
  }

  @Override
  public void close() {
    caches.close();
  }

  private TieredCache<Integer, Row> cache(Place place) {
    return Objects.requireNonNull(byName.get(place.cache()));
  }

  private final class Line implements Session {
    private final Tenant tenant;
    private final CausalSession session;

    Line(Tenant tenant, CausalSession session) {
      this.tenant = tenant;
      this.session = session;
    }

    private <T extends @Nullable Object> T in(Callable<T> body) throws Exception {
      return tenant.call(() -> sessions.call(session, body));
    }

    private @Nullable Row load(Source source, Place place) throws Exception {
      return source.load(place, positions.least());
    }

    @Override
    public @Nullable Row get(Place place, Source source) throws Exception {
      return in(() -> cache(place).get(place.key(), key -> load(source, place)));
    }

    @Override
    public @Nullable Row getAsync(Place place, Source source) throws Exception {
      CompletableFuture<@Nullable Row> found =
          in(
              () ->
                  cache(place)
                      .getAsync(
                          place.key(),
                          key -> {
                            try {
                              return CompletableFuture.completedFuture(load(source, place));
                            } catch (Exception e) {
                              return CompletableFuture.failedFuture(e);
                            }
                          }));
      return found.get(30, TimeUnit.SECONDS);
    }

    @Override
    public Map<Place, Row> getAll(Collection<Place> places, Source source) throws Exception {
      Map<Integer, Place> byKey = new LinkedHashMap<>();
      places.forEach(place -> byKey.put(place.key(), place));
      Map<Integer, Row> rows =
          in(
              () ->
                  cache(places.iterator().next())
                      .getAll(
                          byKey.keySet(),
                          wanted -> {
                            Map<Integer, Row> loaded = new HashMap<>();
                            for (Integer key : wanted) {
                              Row row = load(source, Objects.requireNonNull(byKey.get(key)));
                              if (row != null) {
                                loaded.put(key, row);
                              }
                            }
                            return loaded;
                          }));
      Map<Place, Row> found = new HashMap<>();
      rows.forEach((key, row) -> found.put(byKey.get(key), row));
      return found;
    }

    @Override
    public void put(Place place, Row row) throws Exception {
      in(
          () -> {
            cache(place).put(place.key(), row);
            return true;
          });
    }

    @Override
    public void invalidate(Scope scope) throws Exception {
      Place one = scope.places().get(0);
      in(
          () -> {
            switch (scope.kind()) {
              case KEY -> cache(one).invalidate(one.key());
              case KEYS -> {
                Set<Integer> keys = new LinkedHashSet<>();
                scope.places().forEach(place -> keys.add(place.key()));
                cache(one).invalidateAll(keys);
              }
              case GROUP -> {
                if (one.cache().equals("groups")) {
                  caches.invalidateTags(group(one));
                } else {
                  cache(one).invalidateAll();
                }
              }
              case TABLE -> caches.invalidateTags(TABLE);
              case CACHE -> cache(one).invalidateAll();
              case TENANT -> caches.invalidateTenant();
              case EVERYWHERE ->
                  caches.committed(new WriteSet(1, null, Set.of("rows"), false), ReadFloor.NONE);
            }
            return true;
          });
    }

    @Override
    public Transaction transaction(Scope scope) {
      Tenant of = scope.kind() == Scope.Kind.EVERYWHERE ? null : tenant;
      WriteSet writes = new WriteSet(transactions.incrementAndGet(), of, Set.of("rows"), false);
      return new Transaction() {
        @Override
        public boolean committing() throws Exception {
          return in(
              () -> {
                caches.committing(writes);
                return caches.poisoned().told(writes);
              });
        }

        @Override
        public void committed() throws Exception {
          in(
              () -> {
                caches.committed(writes, positions.now());
                return true;
              });
        }

        @Override
        public void rolledBack() throws Exception {
          in(
              () -> {
                caches.rolledBack(writes);
                return true;
              });
        }

        @Override
        public void outcomeUnknown() throws Exception {
          in(
              () -> {
                caches.outcomeUnknown(writes, positions.now());
                return true;
              });
        }
      };
    }

    @Override
    public String export() throws Exception {
      in(
          () -> {
            caches.demandVoids(session, Duration.ofMillis(200));
            return true;
          });
      return CausalToken.of(null, session.sequences()).toString();
    }

    @Override
    public void accept(String token) {
      session.accept(CausalToken.parse(token));
    }
  }
}
