package dev.aquifer.tsquery.encounter;

class MemoryEncountersTest extends EncounterStoreContract {
  private final EncounterStore store = EncounterStore.inMemory();

  @Override
  EncounterStore store() {
    return store;
  }
}
