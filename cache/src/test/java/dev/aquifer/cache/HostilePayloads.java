package dev.aquifer.cache;

import com.github.luben.zstd.Zstd;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Entries that somebody damaged, cut, moved or made up, read as a node reads them. Runs inside a
 * class loader of its own, so that whatever it looks up is seen; so nothing but Java's own types
 * goes in and out.
 */
public final class HostilePayloads {
  private static final int MOST = 1 << 20;
  private static final Remote.Lease LEASE = new Remote.Lease("t", 7, 8, 9, 10);
  private static final int HEAD = 8;

  private final List<Kind> kinds = new ArrayList<>();
  private final List<byte[]> planted = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();
  private long refused;
  private long readable;

  record Leg(String from, @Nullable String to, Optional<Integer> gate) {}

  record Trip(long id, List<Leg> legs, Map<String, Long> fares) {}

  sealed interface Event permits Delayed, Gone {}

  record Delayed(int minutes) implements Event {}

  record Gone(List<Event> about) implements Event {}

  /** A cache's values, where one of them is, and its bytes. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Kind(
      Values values, Class<?> raw, byte[] payload, Envelope.Place place, byte[] entry) {}

  private HostilePayloads(byte[][] foreign) throws Exception {
    Trip trip =
        new Trip(
            7,
            List.of(new Leg("HNL", null, Optional.of(3))),
            Map.of("a".repeat(3000), 1L, "b", 2L));
    Codec fory =
        ForyCodec.builder()
            .register(Trip.class, 1)
            .register(Leg.class, 2)
            .register(Delayed.class, 3)
            .register(Gone.class, 4)
            .build();
    List<Event> events = List.of(new Gone(List.of(new Delayed(1))), new Delayed(2));
    Type listed = new TypeRef<List<Event>>() {}.type();
    for (Codec codec : List.of(Codec.cbor(), Codec.json(), fory)) {
      add(codec, Trip.class, trip);
      add(codec, listed, events);
    }
    add(Codec.cbor(), new TypeRef<Map<String, Object>>() {}.type(), Map.of("a", List.of(1, "b")));
    add(Codec.json(), Object.class, List.of("a", Map.of()));
    add(Codec.bytes(), byte[].class, new byte[100]);
    planted.addAll(List.of(foreign));
    nested(0x81, 20_000);
    nested(0x9f, 20_000);
    nested(0xbf, 20_000);
    nested(0xc1, 20_000);
    nested('[', 20_000);
    nested(0, 1 << 20);
    nested(0xff, 1 << 20);
    for (String hex :
        List.of(
            "",
            "f6",
            "a162746f7a7fffffff61",
            "a162746f5b7fffffffffffffff",
            "9b7fffffffffffffff",
            "bb7fffffffffffffff",
            "5f",
            "7f6161",
            "bf6161",
            "c0c0c0",
            "d9d9f7d9d9f7",
            "d8186161",
            "1c",
            "ff",
            "f97e00",
            "c48219ffff1a7fffffff",
            "c4821b7fffffffffffffff01")) {
      planted.add(HexFormat.of().parseHex(hex));
    }
    for (String json :
        List.of(
            "{\"@class\":\"" + PayloadsTest.CANARY + "\"}",
            "[\"" + PayloadsTest.CANARY + "\",{}]",
            "[{\"@type\":\"" + PayloadsTest.CANARY + "\"}]",
            "{\"@type\":\"" + PayloadsTest.CANARY + "\",\"legs\":null",
            "{\"id\":1e1000000000}",
            "\"" + PayloadsTest.CANARY + "\"",
            "null",
            "[null",
            "{\"id\":" + "9".repeat(5000) + "}")) {
      planted.add(json.getBytes(StandardCharsets.UTF_8));
      planted.add(cbor(json));
    }
  }

  /** As CBOR: a map or an array around texts, by hand. */
  private static byte[] cbor(String text) {
    byte[] name = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(name.length + 16)
        .put((byte) 0x81)
        .put((byte) 0xa1)
        .put((byte) 0x66)
        .put("@class".getBytes(StandardCharsets.UTF_8))
        .put((byte) 0x79)
        .putShort((short) name.length)
        .put(name)
        .array();
  }

  private void nested(int of, int times) {
    byte[] bytes = new byte[times];
    Arrays.fill(bytes, (byte) of);
    planted.add(bytes);
  }

  private void add(Codec codec, Type type, Object value) throws Exception {
    Values values = new Values(type, codec, Envelope.FORMAT);
    Class<?> raw =
        type instanceof Class<?> c
            ? c
            : (Class<?>) ((java.lang.reflect.ParameterizedType) type).getRawType();
    String key = "aq:{DFW:0}:v:1:c:" + values.schema + ":=l" + kinds.size() + ';';
    Envelope.Place place = new Envelope.Place(StoredKeys.bytes(key), Envelope.FORMAT);
    byte[] payload = values.bytes.encode(value);
    kinds.add(new Kind(values, raw, payload, place, entry(place, codec, payload, 2048)));
  }

  private static byte[] entry(Envelope.Place place, Codec codec, byte[] payload, int compress) {
    return Envelope.write(
        place,
        LEASE,
        new Remote.Filling(payload, false, List.of("table:flight", "b"), 1, 2, 3),
        codec,
        compress,
        new Envelope.Times(5, 9));
  }

  /**
   * Attacks.
   *
   * @return how many were refused, how many were read as a value of the type; then what failed
   */
  public static List<String> attack(long seed, long tries, byte[][] foreign) throws Exception {
    HostilePayloads all = new HostilePayloads(foreign);
    for (Kind kind : all.kinds) {
      if (all.read(kind, kind.entry, "honest, " + kind.values.schema) == null) {
        all.failures.add("an honest entry is refused: " + kind.raw);
      }
    }
    all.refused = 0;
    all.readable = 0;
    for (int i = 0; i < all.planted.size() * all.kinds.size(); i++) {
      all.plant(i);
    }
    for (long i = 0; all.tried() < tries && all.failures.size() < 10; i++) {
      all.damage(new SplittableRandom(seed + i), "seed " + (seed + i));
    }
    List<String> report = new ArrayList<>();
    report.add(Long.toString(all.refused));
    report.add(Long.toString(all.readable));
    report.addAll(all.failures);
    return report;
  }

  private long tried() {
    return refused + readable;
  }

  /** Hostile payloads behind a checksum that is right. */
  private void plant(int i) {
    Kind kind = kinds.get(i % kinds.size());
    byte[] payload = planted.get(i / kinds.size());
    String what = "planted " + i / kinds.size() + " for " + kind.raw + " " + kind.values.codec.id();
    Object value = read(kind, entry(kind.place, kind.values.codec, payload, MOST * 2), what);
    // What anybody might have put there: text and lists where anything is allowed.
    if (value != null
        && kind.raw != byte[].class
        && kind.raw != Object.class
        && kind.raw != Map.class
        && !(value instanceof List<?> list && list.isEmpty())) {
      harmless(value, what);
    }
    byte[] compressed = Zstd.compress(payload);
    byte[] bomb = entry(kind.place, kind.values.codec, compressed, MOST * 2);
    bomb[8] = 1;
    for (int claimed : new int[] {-1, 0, payload.length - 1, Integer.MAX_VALUE, MOST + 1}) {
      int at = bomb.length - compressed.length - 4;
      ByteBuffer.wrap(bomb).putInt(at, claimed);
      if (read(kind, checked(kind.place, bomb), what + " claims " + claimed) != null
          && payload.length != claimed) {
        failures.add("a wrong size was believed: " + what + ", " + claimed);
      }
    }
  }

  private void harmless(Object value, String what) {
    if (value.toString().contains(PayloadsTest.CANARY)) {
      failures.add("a named class was accepted: " + what);
    }
  }

  private void damage(SplittableRandom random, String what) {
    Kind kind = kinds.get(random.nextInt(kinds.size()));
    Kind other = kinds.get(random.nextInt(kinds.size()));
    byte[] entry = kind.entry.clone();
    switch (random.nextInt(8)) {
      case 0 -> never(kind, flipped(random, entry, 0), what + " flipped");
      case 1 -> never(kind, Arrays.copyOf(entry, random.nextInt(entry.length)), what + " cut");
      case 2 ->
          never(
              kind, Arrays.copyOf(entry, entry.length + 1 + random.nextInt(99)), what + " longer");
      case 3 -> {
        int at = random.nextInt(entry.length + 1);
        byte[] joined = Arrays.copyOf(other.entry, Math.max(at, other.entry.length));
        System.arraycopy(entry, 0, joined, 0, at);
        if (!Arrays.equals(joined, entry)) {
          never(kind, joined, what + " joined at " + at);
        }
      }
      case 4 -> {
        random.nextBytes(entry);
        ByteBuffer.wrap(entry).put(kind.entry, 0, random.nextInt(5));
        never(kind, entry, what + " random");
      }
      case 5 -> {
        String key = new String(kind.place.key(), StandardCharsets.UTF_8);
        String moved =
            switch (random.nextInt(4)) {
              case 0 -> key.replace("{DFW:", "{DFX:");
              case 1 -> key.replace(":1:c:", ":1:d:");
              case 2 -> key.replace(kind.values.schema, "0123456789ab");
              default -> key + random.nextInt(100);
            };
        Envelope.Place place = new Envelope.Place(StoredKeys.bytes(moved), Envelope.FORMAT);
        never(new Kind(kind.values, kind.raw, kind.payload, place, entry), entry, what + moved);
      }
      case 6 -> {
        // Everything but magic and checksum is somebody's own.
        byte[] made = flipped(random, entry, HEAD);
        read(kind, checked(kind.place, made), what + " made up");
      }
      default -> {
        byte[] payload = flipped(random, kind.payload, 0);
        payload =
            random.nextInt(3) == 0
                ? Arrays.copyOf(payload, random.nextInt(payload.length + 1))
                : payload;
        read(kind, entry(kind.place, kind.values.codec, payload, 1 << 30), what + " payload");
      }
    }
  }

  private static byte[] flipped(SplittableRandom random, byte[] bytes, int from) {
    byte[] flipped = bytes.clone();
    // At different places, or they might undo each other.
    int at = from + random.nextInt(flipped.length - from);
    flipped[at] ^= (byte) (1 << random.nextInt(8));
    for (int i = random.nextInt(4); i > 0; i--) {
      int more = from + random.nextInt(flipped.length - from);
      if (more != at) {
        flipped[more] ^= (byte) (1 + random.nextInt(255));
      }
    }
    return flipped;
  }

  private static byte[] checked(Envelope.Place place, byte[] entry) {
    CRC32C sum = new CRC32C();
    sum.update(place.key(), 0, place.key().length);
    sum.update(entry, HEAD, entry.length - HEAD);
    ByteBuffer.wrap(entry).putInt(4, (int) sum.getValue());
    return entry;
  }

  private void never(Kind kind, byte[] entry, String what) {
    if (Envelope.read(kind.place, entry) != null) {
      failures.add("accepted: " + what);
    } else {
      refused++;
    }
  }

  private @Nullable Object read(Kind kind, byte[] entry, String what) {
    Object value = null;
    try {
      Envelope envelope = Envelope.read(kind.place, entry);
      if (envelope != null && envelope.writtenBy(kind.values.codec) && !envelope.negative()) {
        value = decoded(kind, envelope);
      }
    } catch (Throwable e) {
      failures.add("not a miss but " + e + ": " + what);
    }
    if (value == null) {
      refused++;
    } else if (kind.raw.isInstance(value)) {
      readable++;
    } else {
      failures.add("a " + value.getClass() + " for " + kind.raw + ": " + what);
    }
    return value;
  }

  private static @Nullable Object decoded(Kind kind, Envelope envelope) {
    try {
      return kind.values.decode(envelope.payload(MOST));
    } catch (Exception e) {
      return null;
    }
  }
}
