package dev.aquifer.cache;

/** An entry where it is held in memory. */
final class Held {
  final MemoryKey at;
  final Entry entry;

  /** Where its bytes count. */
  volatile Pool pool;

  /** When its use was last told to the pool. Plain: a lost update tells it once more. */
  long touched;

  Held(MemoryKey at, Entry entry, Pool pool, long now) {
    this.at = at;
    this.entry = entry;
    this.pool = pool;
    this.touched = now;
  }

  int weight() {
    return entry.weight();
  }
}
