package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheHistory.Fault;
import dev.aquifer.testkit.CacheUnderTest.Scope;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** What a schedule is; see {@link CacheHistory}. Copied before it is changed. */
final class CacheHistoryPlan implements Cloneable {
  long seed;
  int operations = 20_000;
  int threads = 6;
  Duration silenceLimit = Duration.ofMillis(500);
  boolean tokens = true;
  Set<Fault> faults = EnumSet.allOf(Fault.class);
  Map<String, Consumer<RedisServer>> harms = Map.of();
  int faultCount = 10;
  Set<Scope.Kind> voids = EnumSet.allOf(Scope.Kind.class);
  boolean slowLoads;
  boolean transactions;
  boolean replica;
  boolean puts;
  boolean busyWriters;

  /** How many keys are read together, for the most part; 0: they are read one by one. */
  int together;

  /** How long others may miss what was written by whoever announced it and is gone. */
  Duration transactionLimit = Duration.ofMillis(400);

  CacheHistoryPlan copy() {
    try {
      return (CacheHistoryPlan) clone();
    } catch (CloneNotSupportedException e) {
      throw new AssertionError(e);
    }
  }
}
