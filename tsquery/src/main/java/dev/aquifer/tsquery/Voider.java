package dev.aquifer.tsquery;

import dev.aquifer.cache.Timeline;

/** Voids, in memory, what all nodes void of a ledger's measurement. */
record Voider(WindowCache cache, Ledger ledger) implements Timeline.Listener {
  @Override
  public void voided(Timeline.Span span) {
    cache.invalidate(ledger, span.start(), span.stop());
  }

  @Override
  public void voidedAll() {
    cache.invalidateAll(ledger);
  }
}
