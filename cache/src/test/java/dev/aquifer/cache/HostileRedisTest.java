package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.aquifer.UnavailableException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bytes in Redis that somebody else chose, values that cannot be stored, servers that refuse. */
class HostileRedisTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();
  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-l");

  private static final Duration SOON = Duration.ofSeconds(10);
  private static final int SIZE_FIELD = 4;

  private final AtomicInteger loads = new AtomicInteger();

  @BeforeEach
  void flush() {
    REDIS.database().flush();
  }

  private static String uri() {
    return REDIS.database().uri().toString();
  }

  private Flight load(Long id) {
    return new Flight(id, "HNL", loads.incrementAndGet());
  }

  @Test
  void payload_hostileBehindAValidChecksum_isACountedMiss() throws Exception {
    byte[] plain = new CborCodec().forType(Flight.class).encode(new Flight(1, "EVIL", 0));
    byte[] bomb = Zstd.compress(new byte[64 << 20]);
    byte[] nested = new byte[200_000];
    Arrays.fill(nested, (byte) 0x81);
    HexFormat hex = HexFormat.of();
    // Compressed, what it says to be the size of the payload, and the payload.
    List<Hostile> all =
        List.of(
            new Hostile("a bomb that says it is small", true, 4096, bomb),
            new Hostile("a bomb that says what it is", true, 64 << 20, bomb),
            new Hostile("a size below zero", true, -1, bomb),
            new Hostile("larger than it says", false, plain.length - 1, plain),
            new Hostile("smaller than it says", true, 4096, Zstd.compress(plain)),
            new Hostile("not compressed at all", true, plain.length, plain),
            new Hostile("text for a record", false, -2, hex.parseHex("6161")),
            new Hostile("null for a record", false, -2, hex.parseHex("f6")),
            new Hostile("nothing", false, 0, new byte[0]),
            new Hostile("a text of 2^31-1 bytes", false, -2, hex.parseHex("a162746f7a7fffffff61")),
            new Hostile("bytes of 2^63-1", false, -2, hex.parseHex("a162746f5b7fffffffffffffff")),
            new Hostile("200,000 arrays in each other", false, -2, nested));
    try (Raw raw = new Raw()) {
      for (Hostile hostile : all) {
        raw.plant(hostile);
        try (TestNode node = TestNode.open(uri())) {
          int before = loads.get();
          assertThat(node.read(1, this::load).to()).as(hostile.what()).isEqualTo("HNL");
          assertThat(loads).as(hostile.what()).hasValue(before + 1);
          assertThat(node.faults()).as(hostile.what()).containsExactly(CacheFault.DAMAGED);
          assertThat(node.flights().statistics().faults()).isEqualTo(1);
        }
      }
      // The same way in leads to an answer when the payload is honest.
      raw.plant(new Hostile("honest", false, plain.length, plain));
      try (TestNode node = TestNode.open(uri())) {
        assertThat(node.read(1, this::load).to()).isEqualTo("EVIL");
        assertThat(node.faults()).isEmpty();
      }
    }
  }

  /** A payload, and how many bytes the entry claims it to have; -2: as many as it has. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Hostile(String what, boolean compressed, int claimed, byte[] payload) {
    byte[] entry(byte[] key, Remote.Lease lease) {
      Envelope.Place place = new Envelope.Place(key, Envelope.FORMAT);
      byte[] entry =
          Envelope.write(
              place,
              lease,
              new Remote.Filling(payload, false, List.of(FLIGHT.name()), 60_000, 0, 0),
              new CborCodec(),
              Integer.MAX_VALUE,
              1);
      ByteBuffer bytes = ByteBuffer.wrap(entry);
      bytes.put(8, (byte) (compressed ? 1 : 0));
      if (claimed != -2) {
        bytes.putInt(entry.length - payload.length - SIZE_FIELD, claimed);
      }
      CRC32C sum = new CRC32C();
      sum.update(key, 0, key.length);
      sum.update(entry, 8, entry.length - 8);
      bytes.putInt(4, (int) sum.getValue());
      assertThat(Envelope.read(place, entry)).as(what).isNotNull();
      return entry;
    }
  }

  /** Somebody who may write to Redis, and knows where the tenant's partition is. */
  private final class Raw implements AutoCloseable {
    private final RedisClient client = RedisClient.create(uri());
    private final StatefulRedisConnection<byte[], byte[]> connection =
        client.connect(ByteArrayCodec.INSTANCE);
    private final TestNode node = TestNode.open(uri());
    private final byte[] key;

    Raw() {
      node.read(1, HostileRedisTest.this::load);
      Eventually.within(SOON)
          .until("stored", () -> !connection.sync().keys("aq:{DFW:0}:v:*").isEmpty());
      key = connection.sync().keys("aq:{DFW:0}:v:*").get(0);
    }

    void plant(Hostile hostile) {
      Partition shared = node.caches().node().shared;
      Remote.Lease now =
          new Remote.Lease(
              "",
              node.partition().incarnation(),
              node.partition().applied(),
              shared.incarnation(),
              shared.applied());
      connection.sync().set(key, hostile.entry(key, now));
    }

    @Override
    public void close() {
      node.close();
      connection.close();
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  /** What holds itself has no end as CBOR. */
  public static final class Ring {
    public Ring next = this;
  }

  @Test
  void value_thatCannotBeEncoded_isServedCountedAndStoredNowhere() {
    try (TestNode node = TestNode.open(uri());
        TestNode other = TestNode.open(uri())) {
      TieredCache<Long, Ring> rings =
          node.caches().cache("ring", Ring.class, CacheSettings.defaults());
      TieredCache<Long, Ring> others =
          other.caches().cache("ring", Ring.class, CacheSettings.defaults());
      Ring ring = new Ring();
      for (int round = 1; round <= 3; round++) {
        assertThat(TestNode.as(() -> rings.get(1L, id -> loaded(ring)))).isSameAs(ring);
        assertThat(loads).hasValue(round);
        assertThat(rings.statistics().faults()).isEqualTo(round);
      }
      assertThat(node.faults()).hasSize(3).containsOnly(CacheFault.UNENCODABLE);
      assertThat((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:v:*")).isEmpty();
      // The lease was given back, or the other node would wait for it to end by itself.
      long begun = System.nanoTime();
      assertThat(TestNode.as(() -> others.get(1L, id -> loaded(ring)))).isSameAs(ring);
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(3));
      // Nor does putting it fail, or keep what was there before.
      DFW.run(() -> rings.put(1L, ring));
      assertThat(TestNode.as(() -> rings.getIfPresent(1L))).isNull();
      assertThat(rings.statistics().faults()).isEqualTo(4);
    }
  }

  private Ring loaded(Ring ring) {
    loads.incrementAndGet();
    return ring;
  }

  @Test
  void build_wrongPassword_namesTheServerAndNoPassword() {
    try (RedisServer server = RedisServer.builder().password("right-word").start()) {
      String at = server.host() + ":" + server.port();
      for (String user : List.of("", "nobody")) {
        assertThatThrownBy(
                () ->
                    Caches.builder()
                        .redis("redis://" + user + ":wrong-word@" + at)
                        .connectTimeout(SOON)
                        .build())
            .isInstanceOf(UnavailableException.class)
            .hasMessageContaining(at)
            // Whether the client still hears the refusal, or only that the connection ended, is
            // chance.
            .hasMessageContaining("user and password")
            .satisfies(error -> assertThat(trace(error)).doesNotContain("wrong-word"));
      }
      try (TestNode node = TestNode.open(server.uri().toString())) {
        assertThat(node.read(1, this::load).to()).isEqualTo("HNL");
        assertThat(node.caches().health().usable()).isTrue();
      }
    }
  }

  private static String trace(Throwable error) {
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  @Test
  void voids_serverOfTheOldProtocol_arriveAllTheSame() {
    // Without HELLO there is RESP2 alone, where events come as plain answers.
    try (RedisServer server =
            RedisServer.builder().setting("rename-command", "HELLO \"\"").start();
        TestNode one = TestNode.open(server.uri().toString());
        TestNode two = TestNode.open(server.uri().toString())) {
      assertThatThrownBy(() -> server.command("HELLO", "3")).hasMessageContaining("unknown");
      one.read(1, this::load);
      int before = two.read(1, this::load).delay();
      one.invalidate(FLIGHT);
      Eventually.within(SOON).until("node two", () -> two.read(1, this::load).delay() > before);
      assertThat(two.caches().health().proven()).isTrue();
    }
  }
}
