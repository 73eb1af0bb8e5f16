package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EnvelopeTest {
  private static final Codec CODEC = new CborCodec();
  private static final Remote.Lease LEASE = new Remote.Lease("t", 7, 8, 9, 10);

  private static final Envelope.Place HERE = place("aq:{DFW:0}:v:1:c:000000000000:=l1;");

  private static Envelope.Place place(String key) {
    return new Envelope.Place(StoredKeys.bytes(key), Envelope.FORMAT);
  }

  private static byte[] entry(int size) {
    byte[] payload = new byte[size];
    Arrays.fill(payload, (byte) 'x');
    return Envelope.write(
        HERE,
        LEASE,
        new Remote.Filling(payload, false, List.of("a", "b"), 1, 2, 3),
        CODEC,
        2048,
        new Envelope.Times(5, 9));
  }

  @Test
  void foreign_otherFormat_isToldFromDamage() {
    byte[] entry = entry(10);
    assertThat(Envelope.foreign(HERE, entry)).isFalse();
    entry[3]++;
    assertThat(Envelope.foreign(HERE, entry)).isTrue();
    assertThat(Envelope.read(HERE, entry)).isNull();
    entry[0] = 0;
    assertThat(Envelope.foreign(HERE, entry)).isFalse();
    assertThat(Envelope.foreign(HERE, new byte[0])).isFalse();
  }

  @Test
  void read_written_isTheSame() {
    for (int size : new int[] {0, 1, 2047, 2048, 100_000}) {
      Envelope read = Envelope.read(HERE, entry(size));
      assertThat(read).isNotNull();
      assertThat(read.tags()).containsExactly(Tag.of("a"), Tag.of("b"));
      assertThat(read.asOf()).isEqualTo(8);
      assertThat(read.payload(1 << 20)).hasSize(size);
      assertThat(read.writtenBy(CODEC)).isTrue();
    }
    assertThat(entry(100_000).length).isLessThan(1000);
  }

  @Test
  void read_damaged_isNoEntryAndNeverThrows() {
    long seed = 42;
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      byte[] bytes = entry(random.nextInt(4000));
      byte[] damaged =
          random.nextBoolean() ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
      if (damaged.length == bytes.length) {
        damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
      }
      assertThat(Envelope.read(HERE, damaged)).as("seed %d, round %d", seed, i).isNull();
    }
  }
}
