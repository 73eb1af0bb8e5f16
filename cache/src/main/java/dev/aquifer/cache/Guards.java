package dev.aquifer.cache;

/**
 * What keeps stale values out, each of which a test takes out to show that it would notice. Always
 * on outside tests.
 */
final class Guards {
  /** A load that a void overtook is stored nowhere. */
  volatile boolean overtakenLoads = true;

  /** An entry of Redis is judged by the markers of its tags. */
  volatile boolean markers = true;

  /** Only the holder of a standing lease fills. */
  volatile boolean leases = true;

  /** What is kept in memory bears the tick from before it was judged. */
  volatile boolean earlyTicks = true;

  /** Cells of keys that are looked at together are taken before Redis is asked. */
  volatile boolean earlyCells = true;

  /** After the link was lost it proves nothing before what was missed is known. */
  volatile boolean replay = true;

  /** The format of entries that is written and read; another one is a version to come. */
  volatile int format = Envelope.FORMAT;

  /** A cache that is off still voids what is put into it. */
  volatile boolean voidsWhileOff = true;

  /** Voids that go out together are acknowledged when they went. */
  volatile boolean groupedVoids = true;

  /** What Redis lost is noticed: by the gaps in its sequence, and by what was applied here. */
  volatile boolean regressions = true;

  /** What a commit will void is poisoned before it is sent. */
  volatile boolean poison = true;

  /** A load is shown what voided its tags wrote. */
  volatile boolean floors = true;

  /** An entry of Redis is judged only by who has applied all that was void when it was read. */
  volatile boolean positions = true;

  /** Nodes that divide a tenant differently do not work with each other's partitions. */
  volatile boolean divisions = true;
}
