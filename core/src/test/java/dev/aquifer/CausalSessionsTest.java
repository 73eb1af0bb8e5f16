package dev.aquifer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CausalSessionsTest {
  private final AtomicLong now = new AtomicLong();
  private final CausalSessions sessions = new CausalSessions(now::get);

  @Test
  void current_isTheOpenedElseTheTenantsElseTheNodes() throws Exception {
    CausalSession node = sessions.current();
    Tenant.of("DFW")
        .call(
            () -> {
              CausalSession tenants = sessions.current();
              assertThat(tenants).isNotSameAs(node).isSameAs(sessions.of(Tenant.of("DFW")));
              CausalSession own = sessions.open();
              sessions.call(own, () -> assertThat(sessions.current()).isSameAs(own));
              return assertThat(sessions.current()).isSameAs(tenants);
            });
    assertThat(sessions.current()).isSameAs(node);
  }

  @Test
  void call_belongsToItsNodeAlone() throws Exception {
    CausalSessions other = new CausalSessions(now::get);
    CausalSession own = sessions.open();

    sessions.call(own, () -> assertThat(other.current()).isNotSameAs(own));
  }

  @Test
  void accept_raisesAndNeverLowers() {
    CausalSession session = sessions.open();
    session.raise(ReadFloor.at(new Position(1, 1, 100)));
    session.observe("DFW:0", 9);

    session.accept(CausalToken.of(new Position(1, 1, 50), Map.of("DFW:0", 3L, "*", 4L)));

    assertThat(session.floor().position()).isEqualTo(new Position(1, 1, 100));
    assertThat(session.sequence("DFW:0")).isEqualTo(9);
    assertThat(session.sequence("*")).isEqualTo(4);
    assertThat(session.sequence("other")).isZero();
  }

  @Test
  void settle_replacesOnlyWhatItResolved() {
    CausalSession session = sessions.open();
    session.raise(ReadFloor.after(5));
    ReadFloor seen = session.floor();
    session.raise(ReadFloor.after(9));

    session.settle(seen, new Position(1, 1, 100));
    assertThat(session.floor()).as("a later write is not forgotten").isEqualTo(ReadFloor.after(9));

    session.settle(session.floor(), new Position(1, 1, 200));
    assertThat(session.floor()).isEqualTo(ReadFloor.at(new Position(1, 1, 200)));
  }

  @Test
  void of_boundsMemoryAndKeepsFloors() {
    Position written = new Position(1, 1, 777);
    Position late = new Position(1, 1, 888);
    CausalSession held = sessions.of(Tenant.of("writer"));
    held.raise(ReadFloor.at(written));
    for (int i = 1; i < 65_536; i++) {
      assertThat(sessions.of(Tenant.of("t" + i)).floor().isNone()).isTrue();
    }
    now.addAndGet(Duration.ofMinutes(11).toNanos());

    CausalSession afterSweep = sessions.of(Tenant.of("one-more"));
    held.raise(ReadFloor.at(late));

    assertThat(sessions.of(Tenant.of("writer"))).as("dropped and made anew").isNotSameAs(held);
    assertThat(sessions.of(Tenant.of("writer")).floor().position()).isEqualTo(late);
    assertThat(afterSweep.floor().position())
        .as("stricter than need be, never laxer")
        .isEqualTo(late);
  }
}
