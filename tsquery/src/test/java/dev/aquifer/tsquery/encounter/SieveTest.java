package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.Encounter;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SieveTest {
  private static final EncounterScope SCOPE = new EncounterScope(Tenant.of("t1"), "stay");

  private static boolean letsThrough(byte[] sieve, EncounterScope scope, String id) {
    Sieve wanted = Sieve.of(scope, id);
    long block =
        ByteBuffer.wrap(sieve).getLong(wanted.block() % (sieve.length / Long.BYTES) * Long.BYTES);
    return (block & wanted.mask()) == wanted.mask();
  }

  private static byte[] sieve(int from, int to) {
    List<Encounter> all =
        IntStream.range(from, to)
            .mapToObj(i -> Encounter.open("stay-" + i, Instant.EPOCH))
            .toList();
    return Sieve.bytes(SCOPE, all);
  }

  @Test
  void bytes_ofAnyIds_letThemThrough() {
    Proof.of("encounter-sieve")
        .tries(200, 20_000)
        .each(
            random -> {
              int from = random.nextInt(1_000_000);
              int to = from + random.nextInt(1, 5_000);
              byte[] sieve = sieve(from, to);
              assertThat(sieve.length).isLessThanOrEqualTo(2 * (to - from) + Long.BYTES);
              for (int i = from; i < to; i++) {
                assertThat(letsThrough(sieve, SCOPE, "stay-" + i)).isTrue();
              }
            });
  }

  @Test
  void bytes_ofOthers_letFewThrough() {
    byte[] sieve = sieve(0, 4_096);
    EncounterScope other = new EncounterScope(Tenant.of("t2"), "stay");
    int through = 0;
    for (int i = 0; i < 100_000; i++) {
      through += letsThrough(sieve, SCOPE, "stay-" + (10_000 + i)) ? 1 : 0;
    }
    assertThat(through).isBetween(1, 1_000);
    assertThat(
            IntStream.range(0, 4_096).filter(i -> letsThrough(sieve, other, "stay-" + i)).count())
        .isLessThan(100);
  }
}
