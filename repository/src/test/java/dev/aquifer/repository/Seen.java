package dev.aquifer.repository;

import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** What a node told its observer. */
final class Seen implements Observer {
  private final Map<CacheFault, LongAdder> faults = new EnumMap<>(CacheFault.class);
  private final Map<Tier, LongAdder> answers = new EnumMap<>(Tier.class);
  private final LongAdder routes = new LongAdder();
  private final AtomicReference<@Nullable Tier> last = new AtomicReference<>();

  Seen() {
    for (CacheFault fault : CacheFault.values()) {
      faults.put(fault, new LongAdder());
    }
    for (Tier tier : Tier.values()) {
      answers.put(tier, new LongAdder());
    }
  }

  /** Where the last answer came from. */
  @Nullable Tier tier() {
    return last.get();
  }

  long answers(Tier tier) {
    return answers.getOrDefault(tier, new LongAdder()).sum();
  }

  long faults(CacheFault fault) {
    return faults.getOrDefault(fault, new LongAdder()).sum();
  }

  /** Statements that were sent to a node. */
  long routes() {
    return routes.sum();
  }

  @Override
  public void routed(String node, Role role, RouteReason reason) {
    routes.increment();
  }

  @Override
  public void cacheAnswered(String cache, Tenant tenant, Tier tier) {
    last.set(tier);
    answers.getOrDefault(tier, new LongAdder()).increment();
  }

  @Override
  public void cacheFault(String cache, CacheFault fault, @Nullable Throwable error) {
    faults.getOrDefault(fault, new LongAdder()).increment();
  }
}
