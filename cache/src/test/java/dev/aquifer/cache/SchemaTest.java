package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.lang.reflect.Type;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * A class that was changed is another schema. The classes of a version are nested in one of that
 * version, whose name is taken out, so that only what was changed tells them apart.
 */
@SuppressWarnings("SameNameButDifferent") // which is the point
class SchemaTest {
  static final class V1 {
    record Flight(long id, String to, Seat seat, Cabin cabin) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY
    }

    sealed interface Event permits Gone {}

    record Gone() implements Event {}

    static class Account {
      long id;
    }

    record Named(@JsonProperty("a") String x) {}

    record Box<T>(T content) {}
  }

  static final class Same {
    record Flight(long id, String to, Seat seat, Cabin cabin) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY
    }

    sealed interface Event permits Gone {}

    record Gone() implements Event {}

    static class Account {
      static int count;
      transient int seen;
      long id;
    }

    record Named(@JsonProperty("a") String x) {}

    record Box<T>(T content) {}
  }

  static final class Added {
    record Flight(long id, String to, Seat seat, Cabin cabin, int delay) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY
    }

    static class Account {
      long id;
      int cents;
    }
  }

  static final class Removed {
    record Flight(long id, Seat seat, Cabin cabin) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY
    }
  }

  static final class Renamed {
    record Flight(long id, String from, Seat seat, Cabin cabin) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY
    }

    record Named(@JsonProperty("b") String x) {}
  }

  static final class Retyped {
    record Flight(int id, String to, Seat seat, Cabin cabin) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY
    }
  }

  static final class Inside {
    record Flight(long id, String to, Seat seat, Cabin cabin) {}

    record Seat(int row, char letter) {}

    enum Cabin {
      ECONOMY
    }
  }

  static final class Constant {
    record Flight(long id, String to, Seat seat, Cabin cabin) {}

    record Seat(int row) {}

    enum Cabin {
      ECONOMY,
      FIRST
    }

    sealed interface Event permits Gone, Late {}

    record Gone() implements Event {}

    record Late() implements Event {}
  }

  private static String schema(Type type) {
    return Schema.of(type).replaceAll("SchemaTest\\$\\w+\\$", "");
  }

  @Test
  void changed_isAnother() {
    String flight = schema(V1.Flight.class);
    assertThat(
            List.of(
                schema(Added.Flight.class),
                schema(Removed.Flight.class),
                schema(Renamed.Flight.class),
                schema(Retyped.Flight.class),
                schema(Inside.Flight.class),
                schema(Constant.Flight.class)))
        .doesNotHaveDuplicates()
        .doesNotContain(flight);
    assertThat(schema(Added.Account.class)).isNotEqualTo(schema(V1.Account.class));
    assertThat(schema(Renamed.Named.class)).isNotEqualTo(schema(V1.Named.class));
    assertThat(schema(Constant.Event.class)).isNotEqualTo(schema(V1.Event.class));
  }

  @Test
  void unchanged_isTheSame() {
    assertThat(schema(Same.Flight.class)).isEqualTo(schema(V1.Flight.class));
    assertThat(schema(Same.Account.class)).isEqualTo(schema(V1.Account.class));
    assertThat(schema(Same.Named.class)).isEqualTo(schema(V1.Named.class));
    assertThat(schema(Same.Event.class)).isEqualTo(schema(V1.Event.class));
  }

  @Test
  void arguments_areDescendedInto() {
    assertThat(schema(new TypeRef<List<V1.Box<V1.Seat>>>() {}.type()))
        .isEqualTo(schema(new TypeRef<List<Same.Box<Same.Seat>>>() {}.type()))
        .isNotEqualTo(schema(new TypeRef<List<V1.Box<Inside.Seat>>>() {}.type()))
        .isNotEqualTo(schema(new TypeRef<List<V1.Box<V1.Account>>>() {}.type()));
    assertThat(schema(new TypeRef<Map<String, V1.Seat[]>>() {}.type()))
        .isNotEqualTo(schema(new TypeRef<Map<String, Inside.Seat[]>>() {}.type()));
    assertThat(schema(new TypeRef<List<V1.Seat>[]>() {}.type()))
        .isNotEqualTo(schema(new TypeRef<List<Inside.Seat>[]>() {}.type()));
    assertThat(schema(new TypeRef<List<? extends V1.Seat>>() {}.type()))
        .isNotEqualTo(schema(new TypeRef<List<? extends Inside.Seat>>() {}.type()));
  }

  @Test
  void codecAndFormat_areApartOfIt() {
    Codec cbor = Codec.cbor();
    String schema = new Values(V1.Seat.class, cbor, 3).schema;
    assertThat(new Values(V1.Seat.class, Codec.cbor(), 3).schema).isEqualTo(schema);
    assertThat(new Values(V1.Seat.class, Codec.json(), 3).schema).isNotEqualTo(schema);
    assertThat(new Values(V1.Seat.class, cbor, 4).schema).isNotEqualTo(schema);
  }

  @Test
  void sameClassOfAnotherLoader_isTheSame() throws Exception {
    URL here = V1.class.getProtectionDomain().getCodeSource().getLocation();
    try (URLClassLoader other =
        new URLClassLoader(new URL[] {here}, ClassLoader.getPlatformClassLoader())) {
      Class<?> seat = other.loadClass(V1.Seat.class.getName());
      assertThat(seat).isNotSameAs(V1.Seat.class);
      assertThat(Schema.of(seat)).isEqualTo(Schema.of(V1.Seat.class));
    }
  }
}
