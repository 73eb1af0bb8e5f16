package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.aquifer.ConfigurationException;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a value is when it comes back from Redis: equal, or refused before anything is cached. */
class CodecTest {
  static List<Codec> codecs() {
    return List.of(Codec.cbor(), Codec.json());
  }

  private static <T> T back(Codec codec, TypeRef<T> type, T value) throws Exception {
    Codec.ForType of = codec.forType(type.type());
    @SuppressWarnings("unchecked")
    T read = (T) of.decode(of.encode(value));
    assertThat(read).as(type.toString()).isEqualTo(value);
    return read;
  }

  record Leg(String from, @Nullable String to, Optional<Integer> gate) {}

  record Box<T>(T content, List<T> more) {}

  enum Cabin {
    ECONOMY,
    FIRST {
      @Override
      public String toString() {
        return "first!";
      }
    }
  }

  @SuppressWarnings("ArrayRecordComponent")
  record Trip(
      long id,
      List<@Nullable Leg> legs,
      Map<Cabin, Integer> seats,
      Box<Set<Leg>> box,
      Optional<Leg> next,
      OptionalInt count,
      int[] codes,
      byte[] raw) {}

  @ParameterizedTest
  @MethodSource("codecs")
  void records_collectionsNullsAndGenerics_areEqual(Codec codec) throws Exception {
    Leg leg = new Leg("HNL", null, Optional.empty());
    Leg other = new Leg("é\u0000\uD83D\uDE80", "", Optional.of(-1));
    back(codec, new TypeRef<Leg>() {}, leg);
    back(codec, new TypeRef<List<Leg>>() {}, new ArrayList<>(Arrays.asList(leg, null, other)));
    back(codec, new TypeRef<Box<Box<Leg>>>() {}, new Box<>(new Box<>(leg, List.of()), List.of()));
    back(codec, new TypeRef<Map<String, List<Set<Leg>>>>() {}, Map.of("", List.of(Set.of(leg))));
    back(codec, new TypeRef<Optional<Leg>>() {}, Optional.of(leg));
    back(codec, new TypeRef<SortedMap<Integer, Leg>>() {}, new TreeMap<>(Map.of(3, leg, -1, leg)));
    Trip trip =
        new Trip(
            Long.MIN_VALUE,
            Arrays.asList(null, leg),
            Map.of(Cabin.FIRST, 2),
            new Box<>(Set.of(leg), List.of(Set.of())),
            Optional.of(other),
            OptionalInt.empty(),
            new int[] {1, -2},
            new byte[] {0, -1});
    Codec.ForType of = codec.forType(Trip.class);
    assertThat(of.decode(of.encode(trip))).usingRecursiveComparison().isEqualTo(trip);
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void keysOfMaps_thatAreNoText_areEqual(Codec codec) throws Exception {
    UUID id = new UUID(1, 2);
    back(codec, new TypeRef<Map<Long, String>>() {}, Map.of(Long.MAX_VALUE, "a", -1L, "b"));
    back(codec, new TypeRef<Map<UUID, Long>>() {}, Map.of(id, 1L));
    back(codec, new TypeRef<Map<Cabin, Leg>>() {}, new EnumMap<>(Map.of(Cabin.FIRST, leg())));
    back(codec, new TypeRef<EnumMap<Cabin, Leg>>() {}, new EnumMap<>(Map.of(Cabin.FIRST, leg())));
    back(codec, new TypeRef<Map<LocalDate, Long>>() {}, Map.of(LocalDate.of(2026, 2, 28), 1L));
    back(codec, new TypeRef<Map<Instant, Long>>() {}, Map.of(Instant.ofEpochSecond(1, 7), 1L));
    back(codec, new TypeRef<Map<BigDecimal, Long>>() {}, Map.of(new BigDecimal("1.10"), 1L));
    back(codec, new TypeRef<Map<Boolean, Double>>() {}, Map.of(true, -0.0));
  }

  private static Leg leg() {
    return new Leg("LAX", "SFO", Optional.of(7));
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void numbers_areExact(Codec codec) throws Exception {
    for (String text :
        List.of("0", "0.00", "1.10", "-1E+30", "1E-30", "0.1", "12345678901234567890.123456789")) {
      BigDecimal number = new BigDecimal(text);
      assertThat(back(codec, new TypeRef<BigDecimal>() {}, number).scale())
          .isEqualTo(number.scale());
      back(codec, new TypeRef<Box<BigDecimal>>() {}, new Box<>(number, List.of(number)));
    }
    back(codec, new TypeRef<BigDecimal>() {}, new BigDecimal(BigInteger.TWO.pow(3000), 17));
    back(codec, new TypeRef<BigInteger>() {}, BigInteger.TWO.pow(3000).negate());
    back(codec, new TypeRef<Long>() {}, Long.MIN_VALUE);
    for (double number :
        new double[] {0.1, -0.0, Double.MIN_VALUE, Double.NaN, Double.NEGATIVE_INFINITY}) {
      back(codec, new TypeRef<Double>() {}, number);
      back(codec, new TypeRef<Float>() {}, (float) number);
    }
    back(codec, new TypeRef<Character>() {}, '\0');
    back(codec, new TypeRef<Short>() {}, Short.MIN_VALUE);
    back(codec, new TypeRef<Byte>() {}, Byte.MIN_VALUE);
  }

  record Times(
      Instant instant,
      LocalDate date,
      LocalDateTime local,
      LocalTime time,
      OffsetDateTime offset,
      ZonedDateTime zoned,
      Duration duration,
      Period period,
      Year year,
      YearMonth month,
      MonthDay day,
      ZoneId zone,
      ZoneOffset shift,
      DayOfWeek weekday) {}

  @ParameterizedTest
  @MethodSource("codecs")
  void times_keepZonesOffsetsAndNanoseconds(Codec codec) throws Exception {
    for (String zone : List.of("Europe/Paris", "Z", "UTC", "+05:30", "Pacific/Chatham")) {
      ZonedDateTime at =
          ZonedDateTime.of(2026, 10, 25, 1, 30, 0, 123_456_789, ZoneId.of(zone))
              .withLaterOffsetAtOverlap();
      back(
          codec,
          new TypeRef<Times>() {},
          new Times(
              Instant.MIN.plusNanos(1),
              LocalDate.MAX,
              at.toLocalDateTime(),
              LocalTime.MIDNIGHT,
              at.toOffsetDateTime(),
              at,
              Duration.ofSeconds(-5, 7),
              Period.of(1, -2, 40),
              Year.of(-1),
              YearMonth.of(2026, 2),
              MonthDay.of(2, 29),
              ZoneId.of(zone),
              ZoneOffset.ofHoursMinutesSeconds(-1, -2, -3),
              DayOfWeek.SUNDAY));
    }
  }

  sealed interface Event permits Delayed, Gone, Other {}

  record Delayed(int minutes) implements Event {}

  record Gone() implements Event {}

  sealed interface Other extends Event permits Note {}

  record Note(String text, List<Event> about) implements Other {}

  record Log(Event first, Map<String, Event> named) {}

  @ParameterizedTest
  @MethodSource("codecs")
  void sealedTypes_areToldApartWithoutNamesOfClasses(Codec codec) throws Exception {
    Note note = new Note("x", List.of(new Delayed(3), new Gone()));
    back(codec, new TypeRef<Event>() {}, note);
    back(codec, new TypeRef<List<Event>>() {}, List.of(new Gone(), note));
    back(codec, new TypeRef<Other>() {}, note);
    back(codec, new TypeRef<Note>() {}, note);
    back(codec, new TypeRef<Log>() {}, new Log(note, Map.of("a", new Delayed(1))));
    byte[] bytes = codec.forType(Event.class).encode(note);
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
        .doesNotContain("aquifer")
        .doesNotContain("CodecTest");
  }

  static class Account {
    private final String owner;
    private int cents;
    private transient int seen;
    private List<Integer> history = new ArrayList<>();

    Account() {
      this("");
    }

    Account(String owner) {
      this.owner = owner;
    }

    boolean isRich() {
      return cents > 100;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Account that
          && owner.equals(that.owner)
          && cents == that.cents
          && history.equals(that.history);
    }

    @Override
    public int hashCode() {
      return Objects.hash(owner, cents);
    }
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void classes_areTheirFieldsAndNotTheirGetters(Codec codec) throws Exception {
    Account account = new Account("me");
    account.cents = 500;
    account.seen = 3;
    account.history.add(7);
    assertThat(back(codec, new TypeRef<Account>() {}, account).seen).isZero();
  }

  interface Shape {}

  record Circle(Shape around) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.CLASS)
  static class Named {
    public int a;
  }

  record Hidden(@JsonTypeInfo(use = JsonTypeInfo.Id.MINIMAL_CLASS) Object any) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  @JsonSubTypes(@JsonSubTypes.Type(value = Square.class, name = "square"))
  interface Told {}

  record Square(int side) implements Told {}

  sealed interface Open permits Loose {}

  static non-sealed class Loose implements Open {}

  @ParameterizedTest
  @MethodSource("codecs")
  void types_thatCouldNotBeReadBack_areRefusedWhenTheCacheIsMade(Codec codec) throws Exception {
    Map<Type, String> refused = new LinkedHashMap<>();
    refused.put(Shape.class, "abstract");
    refused.put(Circle.class, "abstract");
    refused.put(new TypeRef<List<Map<String, Shape>>>() {}.type(), "abstract");
    refused.put(Named.class, "CLASS");
    refused.put(Hidden.class, "MINIMAL_CLASS");
    refused.put(new TypeRef<Box<? extends Named>>() {}.type(), "CLASS");
    refused.put(Class.class, "name a class");
    refused.put(new TypeRef<Map<Class<?>, Integer>>() {}.type(), "name a class");
    refused.put(new TypeRef<Map<Leg, Integer>>() {}.type(), "no key of a map");
    refused.put(Open.class, "final");
    refused.forEach(
        (type, why) ->
            assertThatThrownBy(() -> codec.forType(type))
                .as(type.getTypeName())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(why));
    back(codec, new TypeRef<Told>() {}, new Square(3));
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void bytes_thatAreNotTheType_areRefused(Codec codec) throws Exception {
    byte[] leg = codec.forType(Leg.class).encode(leg());
    byte[] twice = Arrays.copyOf(leg, leg.length * 2);
    System.arraycopy(leg, 0, twice, leg.length, leg.length);
    assertThatThrownBy(() -> codec.forType(Leg.class).decode(twice)).isNotNull();
    byte[] unknown = codec.forType(String.class).encode("PREMIUM");
    assertThatThrownBy(() -> codec.forType(Cabin.class).decode(unknown)).isNotNull();
    byte[] number = codec.forType(Integer.class).encode(1);
    assertThatThrownBy(() -> codec.forType(Cabin.class).decode(number)).isNotNull();
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void valueWithoutFields_isNotStoredAsNothing(Codec codec) {
    assertThatThrownBy(() -> codec.forType(Object.class).encode(new Object())).isNotNull();
  }

  @org.junit.jupiter.api.Test
  void bytes_areForByteArraysAlone() throws Exception {
    byte[] value = {1, 2};
    Codec.ForType of = Codec.bytes().forType(byte[].class);
    assertThat((byte[]) of.decode(of.encode(value))).containsExactly(value);
    assertThatThrownBy(() -> Codec.bytes().forType(String.class))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("java.lang.String");
  }
}
