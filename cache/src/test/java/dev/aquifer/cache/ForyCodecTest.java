package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ForyCodecTest {
  enum Cabin {
    ECONOMY,
    FIRST
  }

  record Leg(String from, @Nullable String to, Optional<Integer> gate, Instant at) {}

  record Trip(
      long id,
      List<@Nullable Leg> legs,
      Map<Cabin, BigDecimal> fares,
      Set<String> tags,
      OffsetDateTime time) {}

  sealed interface Event permits Gone {}

  record Gone(int minutes) implements Event {}

  private static final Trip TRIP =
      new Trip(
          Long.MIN_VALUE,
          new ArrayList<>(
              Arrays.asList(
                  null, new Leg("HNL", null, Optional.of(3), Instant.ofEpochSecond(1, 9)))),
          Map.of(Cabin.FIRST, new BigDecimal("1.10")),
          Set.of("é"),
          OffsetDateTime.parse("2026-10-25T02:30:00+01:00"));

  private static ForyCodec codec() {
    return ForyCodec.builder()
        .register(Leg.class, 1)
        .register(Trip.class, 2)
        .register(Cabin.class, 3)
        .register(Gone.class, 4)
        .build();
  }

  @Test
  void values_areEqualAndNameNoClass() throws Exception {
    Codec.ForType trips = codec().forType(Trip.class);
    byte[] bytes = trips.encode(TRIP);
    assertThat(trips.decode(bytes)).isEqualTo(TRIP);
    assertThat(codec().forType(Trip.class).decode(bytes)).isEqualTo(TRIP);
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).doesNotContain("Fory", "aquifer");
    Codec.ForType lists = codec().forType(new TypeRef<Map<String, List<Event>>>() {}.type());
    Map<String, List<Event>> events = Map.of("a", List.of(new Gone(1)), "b", List.of());
    assertThat(lists.decode(lists.encode(events))).isEqualTo(events);
  }

  @Test
  void values_fromManyThreads_areEqual() {
    Codec.ForType trips = codec().forType(Trip.class);
    IntStream.range(0, 64)
        .mapToObj(
            i ->
                CompletableFuture.runAsync(
                    () -> {
                      try {
                        assertThat(trips.decode(trips.encode(TRIP))).isEqualTo(TRIP);
                      } catch (Exception e) {
                        throw new AssertionError(e);
                      }
                    }))
        .toList()
        .forEach(CompletableFuture::join);
  }

  @Test
  void classes_thatAreNotRegistered_areRefusedWhenTheCacheIsMade() {
    ForyCodec codec = ForyCodec.builder().register(Trip.class, 1).register(Cabin.class, 2).build();
    assertThatThrownBy(() -> codec.forType(Trip.class))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(Leg.class.getName());
    assertThatThrownBy(() -> codec.forType(new TypeRef<List<Event>>() {}.type()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(Gone.class.getName());
    assertThatThrownBy(() -> codec.forType(ZonedDateTime.class))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("OffsetDateTime");
    assertThatThrownBy(() -> ForyCodec.builder().register(Leg.class, 1).register(Trip.class, 1))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(Leg.class.getName());
    assertThatThrownBy(() -> ForyCodec.builder().register(Leg.class, -1))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> ForyCodec.builder().register(Leg.class, 1).register(Leg.class, 2))
        .isInstanceOf(ConfigurationException.class);
  }

  @Test
  void otherNumbers_areAnotherSchema() {
    Codec other =
        ForyCodec.builder()
            .register(Leg.class, 2)
            .register(Trip.class, 1)
            .register(Cabin.class, 3)
            .build();
    assertThat(new Values(Trip.class, other, 3).schema)
        .isNotEqualTo(new Values(Trip.class, codec(), 3).schema);
    assertThat(new Values(Trip.class, codec(), 3).schema)
        .isEqualTo(new Values(Trip.class, codec(), 3).schema);
  }

  @Test
  void bytes_ofAnotherType_areRefused() throws Exception {
    byte[] leg = codec().forType(Cabin.class).encode(Cabin.FIRST);
    assertThatThrownBy(() -> codec().forType(Trip.class).decode(leg)).isNotNull();
  }
}
