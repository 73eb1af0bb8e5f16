package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.FakeTicker;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What annotations can say of keys and settings. */
class AnnotationsTest {
  private static final Tenant DFW = Tenant.of("DFW");

  private final FakeTicker ticker = new FakeTicker();
  private final Caches caches =
      Caches.builder()
          .clock(ticker)
          .profile("static", settings -> settings.ttl(Duration.ofHours(6)).tags(Tag.of("static")))
          .profile("tiny", settings -> settings.maxKeyChars(16).negativeTtl(Duration.ofMinutes(5)))
          .build();

  record Flight(long id, String to) {}

  record Trace(String id) {}

  public interface Flights {
    @Cached(
        key = {"flight.id", "day"},
        tags = "flight:{flight.id}")
    String gate(Flight flight, String day, Object trace);

    @Cached(key = "id", profile = "static", tags = "flight:{0}")
    String byId(long id, Trace trace);

    @Cached(profile = "static", ttl = "1m")
    String brief(long id);

    @Evicts(caches = "Flights.byId", key = "flight.id")
    void change(Flight flight);

    @Evicts(caches = "elsewhere", key = "id")
    void changeElsewhere(long id);
  }

  /** Answers with the method's name and how often it was asked for what. */
  @SuppressWarnings("unchecked")
  private <T> T counting(Class<T> type) {
    ConcurrentHashMap<List<Object>, AtomicInteger> counts = new ConcurrentHashMap<>();
    Object source =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) ->
                method.getReturnType() == void.class
                    ? null
                    : method.getName()
                        + counts
                            .computeIfAbsent(
                                List.of(method, arguments[0]), k -> new AtomicInteger())
                            .incrementAndGet());
    return CachingProxy.of(type, (T) source, caches);
  }

  @AfterEach
  void close() {
    caches.close();
  }

  @Test
  void key_someParameters_ignoresTheOthers() {
    Flights flights = counting(Flights.class);
    DFW.run(
        () -> {
          Flight one = new Flight(1, "HNL");
          assertThat(flights.gate(one, "mon", new Object())).isEqualTo("gate1");
          assertThat(flights.gate(new Flight(1, "SFO"), "mon", new Object())).isEqualTo("gate1");
          assertThat(flights.gate(one, "tue", new Object())).isEqualTo("gate2");
          caches.invalidateTags(Tag.of("flight:1"));
          assertThat(flights.gate(one, "mon", new Object())).isEqualTo("gate3");
        });
  }

  @Test
  void evicts_key_voidsThatKeyAlone() {
    Flights flights = counting(Flights.class);
    DFW.run(
        () -> {
          assertThat(flights.byId(1, new Trace("a"))).isEqualTo("byId1");
          assertThat(flights.byId(2, new Trace("b"))).isEqualTo("byId1");
          flights.change(new Flight(1, "HNL"));
          assertThat(flights.byId(1, new Trace("c"))).isEqualTo("byId2");
          assertThat(flights.byId(2, new Trace("d"))).isEqualTo("byId1");
        });
  }

  /** The types of its keys are not known, so a key of another type might be meant. */
  @Test
  void evicts_keyOfAnUnknownCache_voidsAllOfIt() {
    Flights flights = counting(Flights.class);
    TieredCache<Integer, String> elsewhere =
        caches.cache("elsewhere", String.class, CacheSettings.defaults());
    DFW.run(
        () -> {
          elsewhere.put(1, "one");
          assertThat(elsewhere.getIfPresent(1)).isEqualTo("one");
          flights.changeElsewhere(1L);
          assertThat(elsewhere.getIfPresent(1)).isNull();
        });
  }

  @Test
  void profile_settings_areThoseOfTheMethod() {
    Flights flights = counting(Flights.class);
    DFW.run(
        () -> {
          flights.byId(1, new Trace("a"));
          flights.brief(1);
          ticker.advance(Duration.ofHours(5));
          assertThat(flights.byId(1, new Trace("a"))).isEqualTo("byId1");
          assertThat(flights.brief(1)).as("its own ttl goes before").isEqualTo("brief2");
          caches.invalidateTags(Tag.of("static"));
          assertThat(flights.byId(1, new Trace("a"))).isEqualTo("byId2");
          assertThat(flights.brief(1)).isEqualTo("brief3");
        });
  }

  public interface UnknownProfile {
    @Cached(profile = "huge")
    String get(long id);
  }

  public interface ProfileContradicted {
    @Cached(profile = "tiny", ttl = "1m")
    String get(long id);
  }

  public interface TagOutsideKey {
    @Cached(key = "id", tags = "day:{day}")
    String get(long id, String day);
  }

  public interface KeyTwice {
    @Cached(key = {"id", "0"})
    String get(long id);
  }

  public interface KeyOfNothing {
    @Evicts(tags = "flight", key = "id")
    void change(long id);
  }

  public interface KeyOfAnotherType {
    @Cached
    String get(long id);

    @Evicts(caches = "KeyOfAnotherType.get", key = "id")
    void change(int id);
  }

  @Test
  void contradictions_whenTheProxyIsMade_areRefusedByName() {
    refused(UnknownProfile.class, "profile 'huge'", "[static, tiny]");
    refused(ProfileContradicted.class, "negativeTtl PT5M", "ttl PT1M");
    refused(TagOutsideKey.class, "day:{day}", "no part of its key");
    refused(KeyTwice.class, "'0'", "twice");
    refused(KeyOfNothing.class, "[id]", "caches []");
    refused(KeyOfAnotherType.class, "Integer", "Long");
    assertThatThrownBy(() -> Caches.builder().profile("x", s -> {}).profile("x", s -> {}))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("'x'");
    assertThatThrownBy(() -> Caches.builder().profile("x", s -> s.ttl(Duration.ZERO)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("ttl");
  }

  private void refused(Class<?> type, String... parts) {
    assertThatThrownBy(() -> counting(type))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(type.getSimpleName())
        .hasMessageContainingAll(parts);
  }
}
