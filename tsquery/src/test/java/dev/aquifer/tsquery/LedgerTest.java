package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private static final Ledger.Key KEY = new Ledger.Key(Tenant.of("t1"), "vitals");
  private static final Track.Part PART = part();

  private static Track.Part part() {
    TimeSeriesQuery query =
        TimeSeriesQuery.builder("vitals")
            .select(Aggregate.COUNT, "pulse")
            .range(Instant.EPOCH, Instant.EPOCH.plusSeconds(60))
            .every(Duration.ofSeconds(1))
            .build();
    return new Track.Part(Track.of(KEY.tenant(), query), 0);
  }

  /** Nothing was kept when it looked, and it is used before it goes: what is kept must be found. */
  @Test
  void retire_usedWhileItLooks_isNot() {
    AtomicReference<Runnable> looking = new AtomicReference<>(() -> {});
    Set<Track.Part> parts =
        new HashSet<>() {
          private static final long serialVersionUID = 1L;

          @Override
          public boolean isEmpty() {
            boolean empty = super.isEmpty();
            looking.getAndSet(() -> {}).run();
            return empty;
          }
        };
    Ledger ledger = new Ledger(KEY, (key, made) -> null, parts);
    ledger.unpin();
    looking.set(
        () -> {
          assertThat(ledger.pin()).isTrue();
          parts.add(PART);
          ledger.unpin();
        });
    assertThat(ledger.retire()).isFalse();
    assertThat(ledger.retire()).isFalse();
    parts.remove(PART);
    assertThat(ledger.retire()).isTrue();
    assertThat(ledger.pin()).isFalse();
    assertThat(ledger.retire()).isFalse();
  }
}
