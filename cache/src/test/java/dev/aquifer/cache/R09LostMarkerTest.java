package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R9: Redis evicts what names the voids, and keeps the old entries. Guard: the state of a partition
 * is one key with a random incarnation, so it goes as a whole, and nothing that was stored under it
 * stands any more. Taken out by hand: the new state is given the incarnation of the old one.
 */
class R09LostMarkerTest extends TwoNodeRace {
  @RegisterExtension
  static final RedisExtension REDIS =
      RedisExtension.own(
          RedisServer.builder().maxMemory(8 << 20).setting("maxmemory-policy", "allkeys-lru"));

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @Test
  void stateDeleted_oldEntriesDoNotRevive() {
    assertThat(revived(true)).isFalse();
  }

  @Test
  void stateDeletedAndIncarnationTheSame_oldEntriesRevive() {
    assertThat(revived(false)).isTrue();
  }

  /** The entry is old and voided by a marker; the marker is lost, the entry is not. */
  private boolean revived(boolean guarded) {
    read(one, 1);
    awaitStored(two, 1);
    Object incarnation = redis().command("HGET", STATE, "i");
    Object before = redis().command("HGET", STATE, "n");
    row.set(NEW);
    one.invalidate(FLIGHT);
    redis().command("DEL", STATE);
    if (!guarded) {
      redis().command("HSET", STATE, "i", incarnation.toString(), "n", before.toString(), "f", "0");
    }
    try (TestNode three = TestNode.open(uri())) {
      return read(three, 1) != NEW;
    }
  }

  @Test
  void stateEvicted_oldEntriesDoNotRevive() {
    read(one, 1);
    awaitStored(two, 1);
    row.set(NEW);
    one.invalidate(FLIGHT);
    List<?> entries = (List<?>) redis().command("KEYS", "aq:{DFW:0}:v:*");
    String entry = entries.get(0).toString();
    String junk = "x".repeat(100_000);
    int filled = 0;
    // The entry is in use, its voids are not: Redis drops what was used least lately.
    while (Long.valueOf(1).equals(redis().command("EXISTS", STATE))) {
      redis().command("GET", entry);
      redis().command("SET", "junk:" + filled++, junk);
      assertThat(filled).as("nothing is evicted").isLessThan(2000);
    }
    try (TestNode three = TestNode.open(uri())) {
      assertThat(read(three, 1)).isEqualTo(NEW);
    }
    assertThat(read(one, 1)).isEqualTo(NEW);
    sync(two);
    assertThat(read(two, 1)).isEqualTo(NEW);
  }

  @Test
  void flushAll_thenVoided_servesNothingOldAnywhere() {
    one.read(1, this::load);
    two.read(1, this::load);
    long before = two.partition().incarnation();
    row.set(21);
    REDIS.server().command("FLUSHALL");
    one.invalidate(Tag.of("other"));
    // The state that named the older voids is lost, so all that is older is void: R9.
    assertThat(one.read(1, this::load).delay()).isEqualTo(21);
    Eventually.within(SOON).until("node two knows", () -> two.partition().incarnation() != before);
    Eventually.within(SOON).until("and is complete", () -> two.partition().incarnation() != 0);
    assertThat(two.read(1, this::load).delay()).isEqualTo(21);
  }
}
