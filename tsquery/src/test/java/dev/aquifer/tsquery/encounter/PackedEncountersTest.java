package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.Encounter;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class PackedEncountersTest {
  private static final Instant MONTH = Instant.parse("2026-03-01T00:00:00Z");
  private static final List<String> ODD =
      List.of("a", "A", "%", "\uD83D\uDE00", "\uFFFD", "ä", "' OR 1", "a b", "x".repeat(256));

  @Test
  void unpack_ofAnyThatWerePacked_givesThem() {
    Proof.of("packed-encounters")
        .tries(300, 100_000)
        .each(
            random -> {
              List<Encounter> some = random(random);
              assertThat(PackedEncounters.unpack(PackedEncounters.pack(some))).isEqualTo(some);
            });
  }

  @Test
  void unpack_timesAtTheEndsOfNanoseconds_givesThem() {
    Instant first = EncounterOrder.EARLIEST;
    Instant last = EncounterOrder.instant(Long.MAX_VALUE);
    List<Encounter> all =
        List.of(
            new Encounter("all", first, last),
            new Encounter("first", first, first.plusNanos(1)),
            new Encounter("last", last.minusNanos(1), last));
    assertThat(PackedEncounters.unpack(PackedEncounters.pack(all))).isEqualTo(all);
    assertThat(PackedEncounters.unpack(PackedEncounters.pack(List.of()))).isEmpty();
  }

  @Test
  void pack_openOnes_isRefused() {
    assertThatThrownBy(() -> PackedEncounters.pack(List.of(Encounter.open("a", MONTH))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** To the second, some minutes apart, for some hours: the ids are numbers, or say nothing. */
  @Test
  void pack_staysOfAMonth_takesFewBytes() {
    SplittableRandom random = new SplittableRandom(1);
    List<Encounter> numbered = new ArrayList<>();
    List<Encounter> named = new ArrayList<>();
    long at = 0;
    for (int i = 0; i < 4_096; i++) {
      at += random.nextInt(1_200);
      Instant start = MONTH.plusSeconds(at);
      Instant end = start.plusSeconds(random.nextInt(600, 40_000));
      numbered.add(new Encounter("stay-%08d".formatted(10_000_000 + i), start, end));
      UUID uuid = new UUID(random.nextLong(), random.nextLong());
      named.add(new Encounter(uuid.toString(), start, end));
    }
    double ofNumbered = PackedEncounters.pack(numbered).length / 4_096.0;
    double ofNamed = PackedEncounters.pack(named).length / 4_096.0;
    assertThat(ofNumbered).isLessThan(7);
    assertThat(ofNamed).isLessThan(28);
  }

  /** Bytes flipped, cut and put in: never another error, never long, never other encounters. */
  @Test
  void unpack_damagedBytes_saysSo() {
    SplittableRandom random = new SplittableRandom(2);
    byte[] packed = PackedEncounters.pack(random(random));
    for (int i = 0; i < 10_000; i++) {
      byte[] damaged = damaged(random, packed);
      if (!java.util.Arrays.equals(damaged, packed)) {
        assertThatThrownBy(() -> PackedEncounters.unpack(damaged))
            .isExactlyInstanceOf(AquiferException.class)
            .hasMessageContaining("damaged");
      }
    }
  }

  /** Damage that the checksum does not tell: whoever made it made that too. */
  @Test
  void unpack_damagedBytesOfTheRightChecksum_giveEncountersOrSaySo() {
    Proof.of("packed-encounters-damaged")
        .tries(20, 1_000)
        .each(
            random -> {
              byte[] packed = PackedEncounters.pack(random(random));
              for (int i = 0; i < 1_000; i++) {
                byte[] damaged = damaged(random, packed);
                if (damaged.length >= 5) {
                  CRC32C checksum = new CRC32C();
                  checksum.update(damaged, 5, damaged.length - 5);
                  ByteBuffer.wrap(damaged).put((byte) 1).putInt((int) checksum.getValue());
                }
                try {
                  PackedEncounters.pack(PackedEncounters.unpack(damaged));
                } catch (AquiferException e) {
                  assertThat(e).isExactlyInstanceOf(AquiferException.class);
                  assertThat(e).hasMessageContaining("damaged");
                }
              }
            });
  }

  private static byte[] damaged(RandomGenerator random, byte[] packed) {
    byte[] damaged = packed.clone();
    switch (random.nextInt(3)) {
      case 0 -> damaged = java.util.Arrays.copyOf(damaged, random.nextInt(packed.length + 9));
      case 1 -> damaged[random.nextInt(packed.length)] = (byte) random.nextInt();
      default -> {
        int bit = random.nextInt(packed.length * 8);
        damaged[bit >> 3] ^= (byte) (1 << (bit & 7));
      }
    }
    return damaged;
  }

  private static List<Encounter> random(RandomGenerator random) {
    long unit = List.of(1L, 1_000L, 1_000_000_000L, 60_000_000_000L).get(random.nextInt(4));
    TreeMap<String, Encounter> byId = new TreeMap<>();
    long base = EncounterOrder.nanos(MONTH) / unit;
    for (int i = random.nextInt(60); i >= 0; i--) {
      String id = random.nextInt(8) == 0 ? ODD.get(random.nextInt(9)) : "s" + random.nextInt(500);
      long start = (base + random.nextInt(40_000)) * unit;
      long end = start + (1 + random.nextInt(5_000)) * unit;
      byId.put(id, new Encounter(id, EncounterOrder.instant(start), EncounterOrder.instant(end)));
    }
    return byId.values().stream().sorted(EncounterOrder.BY_START).toList();
  }
}
