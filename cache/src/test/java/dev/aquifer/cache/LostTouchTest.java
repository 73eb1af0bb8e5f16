package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** More voids than may wait for a Redis that does not answer. */
class LostTouchTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @AfterEach
  void resume() {
    REDIS.server().resume();
  }

  private static long number(String field) {
    return Long.parseLong(String.valueOf(REDIS.database().command("HGET", STATE, field)));
  }

  @Test
  void pending_moreThanTheLimit_voidsEverythingOnReturn() {
    try (TestNode small = TestNode.open(uri(), caches -> caches.pendingLimit(3))) {
      small.read(1, this::load);
      two.read(1, this::load);
      long floor = number("f");
      REDIS.server().pause();
      row.set(23);
      small.invalidate(FLIGHT);
      for (int i = 0; i < 20; i++) {
        small.invalidate(Tag.of("other", Integer.toString(i)));
        assertThat(small.caches().health().pending()).isBetween(1, 3);
      }
      assertThat(small.faults()).contains(CacheFault.OVERFLOW);
      assertThat(small.read(1, this::load).delay()).isEqualTo(23);
      REDIS.server().resume();
      // One void of all that there is, in place of what did not fit.
      Eventually.within(SOON).until("told", () -> number("f") > floor);
      assertThat(number("f")).isLessThanOrEqualTo(number("n"));
      Eventually.within(SOON).until("nothing waits", () -> small.caches().health().pending() == 0);
      Eventually.within(SOON).until("node two", () -> two.read(1, this::load).delay() == 23);
      assertThat(small.read(1, this::load).delay()).isEqualTo(23);
    }
  }
}
