package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R6: a replica takes over that lacks the newest void, while the old entries are there. Guard:
 * {@link Guards#regressions}; whoever knows of the void sees that Redis does not. What no living
 * node had applied leaves no trace: only replication that Redis waits for prevents that.
 */
class R06FailoverTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  private long number(String field) {
    return Long.parseLong(String.valueOf(redis().command("HGET", STATE, field)));
  }

  @Test
  void sequence_regressed_voidsEverythingEverywhere() {
    assertThat(oldAfterRegression(true)).isFalse();
  }

  @Test
  void sequence_regressedUnnoticed_servesTheOld() {
    two.guards().regressions = false;
    assertThat(oldAfterRegression(false)).isTrue();
  }

  /** R6: a failover lost the newest void, which node two had applied; the old entries are there. */
  private boolean oldAfterRegression(boolean noticed) {
    one.read(1, this::load);
    one.read(2, this::load);
    awaitStored(two, 1);
    awaitStored(two, 2);
    long sequence = number("n");
    row.set(22);
    one.invalidate(FLIGHT);
    Eventually.within(SOON)
        .until("node two heard it", () -> two.partition().applied() == sequence + 1);
    // Node one stays away, or it would notice too.
    one.close();
    redis().command("HSET", STATE, "n", Long.toString(sequence));
    redis().command("HDEL", STATE, KeyText.tagName(FLIGHT.name()));
    redis().command("DEL", STREAM);
    assertThat(two.read(2, this::load).delay()).isEqualTo(22);
    if (noticed) {
      Eventually.within(SOON).until("all is void in Redis", () -> number("f") > sequence + 1);
    }
    try (TestNode three = TestNode.open(uri())) {
      return three.read(1, this::load).delay() != 22;
    }
  }

  @Test
  void sequence_regressedThenVoidedAgain_voidsEverything() {
    assertThat(oldAfterHiddenRegression()).isFalse();
  }

  @Test
  void sequence_regressedThenVoidedAgainUnnoticed_servesTheOld() {
    one.guards().regressions = false;
    two.guards().regressions = false;
    assertThat(oldAfterHiddenRegression()).isTrue();
  }

  /** The next void takes the number of the one that was lost, before anybody looks. */
  private boolean oldAfterHiddenRegression() {
    read(one, 1);
    awaitStored(two, 1);
    long sequence = number("n");
    row.set(NEW);
    one.invalidate(FLIGHT);
    two.close();
    redis().command("HSET", STATE, "n", Long.toString(sequence));
    redis().command("HDEL", STATE, KeyText.tagName(FLIGHT.name()));
    redis().command("DEL", STREAM);
    one.invalidate(Tag.of("other"));
    try (TestNode three = TestNode.open(uri())) {
      return read(three, 1) != NEW;
    }
  }
}
