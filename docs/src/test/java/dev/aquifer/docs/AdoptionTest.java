package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Adoption;
import dev.aquifer.cache.Adoption.Mode;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Cached;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.CachingProxy;
import dev.aquifer.cache.Evicts;
import dev.aquifer.cache.Limits;
import dev.aquifer.cache.Preload;
import dev.aquifer.cache.Schedule;
import dev.aquifer.cache.ShadowReport;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.cache.TypeRef;
import dev.aquifer.cache.WarmUp;
import dev.aquifer.cache.WarmUpResult;
import dev.aquifer.cache.WarmUpRun;
import dev.aquifer.testkit.Eventually;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class AdoptionTest {
  private static final Logger log = LoggerFactory.getLogger(AdoptionTest.class);

  record User(String name, int level) {}

  record Session(String id, String user) {}

  record Trace(String id) {}

  record PlayerSession(String id, String character) {}

  record Dashboard(String owner, List<String> characters) {}

  private final Tenant tenant = Tenant.of("DFW");
  private final CacheSettings settings = CacheSettings.defaults();
  private final Set<String> names = Set.of("ada", "grace", "edsger");
  private final AtomicInteger asked = new AtomicInteger();

  private User loadUser(String name) {
    asked.incrementAndGet();
    return new User(name, 1);
  }

  private Map<String, User> loadUsers(Set<String> wanted) {
    return wanted.stream().collect(Collectors.toMap(name -> name, this::loadUser));
  }

  private Collection<String> activeUsers() {
    return names;
  }

  private Set<String> sessionsOf(String name) {
    return Set.of(name + "-1");
  }

  private Map<String, Session> loadSessions(Set<String> ids) {
    return ids.stream().collect(Collectors.toMap(id -> id, id -> new Session(id, "ada")));
  }

  @Test
  void adoption() throws Exception {
    // snippet: adoption
    Caches caches = Caches.builder().adoption(Adoption.of(Mode.OFF)).build();
    TieredCache<String, User> users = caches.cache("users", User.class, settings);

    // Look first: the source answers all, the cache is compared beside it.
    caches.adoption(Adoption.of(Mode.SHADOW));

    // Then a tenant that knows, then a share of the others, one cache still only looked at.
    caches.adoption(
        Adoption.of(Mode.OFF)
            .tenants(10, Mode.ON) // percent, by a stable hash of the tenant
            .tenant(Tenant.of("DFW"), Mode.ON)
            .cache("sessions", Adoption.of(Mode.SHADOW).keys(5, Mode.ON)));

    // And all.
    caches.adoption(Adoption.of(Mode.ON));
    // end
    try (caches) {
      caches.adoption(Adoption.of(Mode.SHADOW));
      tenant.call(() -> users.get("ada", this::loadUser));
      Eventually.within(Duration.ofSeconds(10)).until("filled", () -> users.shadow().filled() == 1);
      tenant.call(() -> users.get("ada", this::loadUser));
      Eventually.within(Duration.ofSeconds(10)).until("compared", () -> users.shadow().same() == 1);
      // snippet: adoption-shadow
      ShadowReport report = users.shadow();
      long wrong = report.different(); // the cache would have answered something else
      long right = report.same();
      long missed = report.filled(); // it had nothing, and has now
      List<ShadowReport.Example> examples = report.examples(); // the first 16, no keys, no values
      // end
      assertThat(List.of(wrong, right, missed)).containsExactly(0L, 1L, 1L);
      assertThat(examples).isEmpty();
      caches.adoption(Adoption.of(Mode.ON));
      tenant.call(() -> users.get("ada", this::loadUser));
      assertThat(asked).hasValue(2);
    }
  }

  @Test
  void warming() throws Exception {
    try (Caches caches = Caches.builder().build()) {
      TieredCache<String, User> users = caches.cache("users", User.class, settings);
      TieredCache<String, Session> sessions = caches.cache("sessions", Session.class, settings);
      // snippet: warming
      WarmUp gently =
          WarmUp.builder()
              .batch(200) // keys a call of the loader
              .concurrency(2) // batches at a time
              .keysPerSecond(5_000)
              .progress(p -> log.info("{} of {}, {} failed", p.done(), p.total(), p.failed()))
              .build();
      WarmUpRun<String> run = tenant.call(() -> users.warm(names, this::loadUsers, gently));
      WarmUpResult<String> result = run.result().get(); // or run.cancel()
      // end
      assertThat(result.done()).isEqualTo(3);
      assertThat(result.remaining()).isEmpty();

      // snippet: warming-more
      Schedule warm = tenant.call(() -> users.keepWarm(this::activeUsers, this::loadUsers, gently));
      Schedule hot =
          tenant.call(() -> users.refreshHottest(1_000, Duration.ofMinutes(1), this::loadUser));

      Preload<String> login =
          Preload.<String>plan()
              .and(users, name -> Set.of(name), this::loadUsers)
              .and(sessions, name -> sessionsOf(name), this::loadSessions);
      tenant.call(() -> login.run("ada")); // a future of how each ended; nobody has to wait for it
      // end
      Eventually.within(Duration.ofSeconds(10))
          .until("the session", () -> tenant.call(() -> sessions.getIfPresent("ada-1")) != null);
      warm.close();
      hot.close();
    }
  }

  @Test
  void limits() throws Exception {
    try (Caches caches = Caches.builder().build()) {
      // snippet: limits
      caches.limits(
          Limits.builder()
              .loads(200, 400) // a second, and at once after a pause
              .shared(true) // by all nodes on one Redis, not by each
              .concurrentLoads(16, 64) // on this node: running, waiting
              .invalidations(100, 200) // round trips to Redis
              .build());
      caches.limits(Tenant.of("DFW"), Limits.NONE);
      // end
      TieredCache<String, User> users = caches.cache("users", User.class, settings);
      assertThat(tenant.call(() -> users.get("ada", this::loadUser)).level()).isEqualTo(1);
      assertThat(caches.limits(tenant)).isEqualTo(Limits.NONE);
    }
  }

  // snippet: annotations
  public interface Accounts {
    @Cached(profile = "session", key = "id", tags = "session:{id}")
    Optional<Session> session(String id, Trace trace);

    @Cached(ttl = "1h", tags = "user:{name}")
    Optional<User> user(String name);

    @Evicts(caches = "Accounts.user", key = "user.name")
    void save(User user);

    @Evicts(tags = "session:{0}")
    void logout(String id);
  }

  // end

  private final class Database implements Accounts {
    private User kept = new User("ada", 1);
    private boolean open = true;

    @Override
    public Optional<Session> session(String id, Trace trace) {
      asked.incrementAndGet();
      return open ? Optional.of(new Session(id, "ada")) : Optional.empty();
    }

    @Override
    public Optional<User> user(String name) {
      return Optional.of(kept);
    }

    @Override
    public void save(User user) {
      kept = user;
    }

    @Override
    public void logout(String id) {
      open = false;
    }
  }

  @Test
  void annotations() {
    // snippet: annotations-profile
    Caches caches =
        Caches.builder()
            .profile("session", s -> s.ttl(Duration.ofMinutes(20)).negativeTtl(Duration.ZERO))
            .build();
    // end
    try (caches) {
      Accounts accounts = CachingProxy.of(Accounts.class, new Database(), caches);
      tenant.run(
          () -> {
            assertThat(accounts.session("s1", new Trace("a"))).isPresent();
            assertThat(accounts.session("s1", new Trace("b"))).isPresent();
            assertThat(asked).hasValue(1);
            accounts.logout("s1");
            assertThat(accounts.session("s1", new Trace("c"))).isEmpty();
            assertThat(accounts.user("ada")).contains(new User("ada", 1));
            accounts.save(new User("ada", 2));
            assertThat(accounts.user("ada")).contains(new User("ada", 2));
          });
    }
  }

  private static Set<Tag> tags(String kind, List<String> ids) {
    return ids.stream().map(id -> Tag.of(kind, id)).collect(Collectors.toSet());
  }

  @Test
  void dependencies() throws Exception {
    try (Caches caches = Caches.builder().build()) {
      // snippet: dependencies
      TieredCache<String, PlayerSession> sessions =
          caches.cache(
              "sessions",
              new TypeRef<PlayerSession>() {},
              CacheSettings.defaults(),
              (id, session) ->
                  session == null ? Set.of() : Set.of(Tag.of("character", session.character())));
      TieredCache<String, Dashboard> dashboards =
          caches.cache(
              "dashboards",
              new TypeRef<Dashboard>() {},
              CacheSettings.defaults(),
              (owner, board) -> board == null ? Set.of() : tags("character", board.characters()));
      // end
      tenant.run(
          () -> {
            sessions.get("s1", id -> new PlayerSession(id, "arwen"));
            sessions.get("s2", id -> new PlayerSession(id, "gimli"));
            dashboards.get("ada", owner -> new Dashboard(owner, List.of("arwen", "legolas")));
            dashboards.get("grace", owner -> new Dashboard(owner, List.of("gimli")));
            // snippet: dependencies-void
            // her sessions, her owner's dashboard
            caches.invalidateTags(Tag.of("character", "arwen"));
            // end
            assertThat(sessions.getIfPresent("s1")).isNull();
            assertThat(dashboards.getIfPresent("ada")).isNull();
            assertThat(sessions.getIfPresent("s2")).isNotNull();
            assertThat(dashboards.getIfPresent("grace")).isNotNull();
          });
    }
  }
}
