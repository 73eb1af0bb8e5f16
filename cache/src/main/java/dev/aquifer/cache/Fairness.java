package dev.aquifer.cache;

import dev.aquifer.Tenant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/**
 * Who may hold how much of the memory. Every tenant is sure of its weight's part, may borrow what
 * others leave idle, and is the first to be evicted from while it holds more than its part.
 *
 * <p>Tenants within their parts share one pool, which is sure of all their parts together and so is
 * never short because of others. One that passes its part is moved to a pool of its own, the first
 * {@value #OWN} of them at least; more share a second pool, apart from those within theirs. Only
 * the limits of these pools are ever below what their tenants want, and {@link MemoryLimits} says
 * by how much. The limits together are never more than the whole, so neither is what is held.
 *
 * <p>Limits are set anew when a tenant passes its part, at once when a pool comes near a limit that
 * could be higher, and now and then.
 */
final class Fairness {
  static final int OWN = 64;
  private static final int HEADROOM = 32;

  private final LongSupplier nanos;
  private final Pool within;
  private final Pool crowd;
  private final ConcurrentHashMap<Tenant, Share> shares = new ConcurrentHashMap<>();
  private final ReentrantLock lock = new ReentrantLock();

  // Under the lock.
  private final List<Pool> own = new ArrayList<>();
  private final Map<Tenant, Double> weights = new HashMap<>();

  /**
   * A tenant beyond its part of the memory is held apart from those within theirs. A test takes it
   * out to show that it would notice; always on outside tests.
   */
  volatile boolean apart = true;

  private volatile long total;
  private volatile double all;

  Fairness(long bytes, LongSupplier nanos) {
    this.nanos = nanos;
    this.total = bytes;
    this.within = new Pool(bytes, nanos);
    this.crowd = new Pool(0, nanos);
  }

  /** What the tenant has; made when there is none. */
  Share share(Tenant tenant) {
    Share share = shares.get(tenant);
    if (share != null) {
      return share;
    }
    lock.lock();
    try {
      share = shares.get(tenant);
      if (share == null) {
        double weight = weights.getOrDefault(tenant, 1.0);
        share = new Share(tenant, within, weight);
        shares.put(tenant, share);
        within.weight += weight;
        weigh(weight);
      }
      return share;
    } finally {
      lock.unlock();
    }
  }

  /** An entry of the tenant's was put. */
  void grown(Share share) {
    boolean passed = share.pool == within && share.bytes.get() > part(share);
    // Whoever has the lock sees to it, or the next who puts does.
    if ((passed || share.pool.bytes() > share.pool.mark) && apart && lock.tryLock()) {
      try {
        settle(share);
        limit();
      } finally {
        lock.unlock();
      }
    }
  }

  /** How many bytes are held, about. */
  long bytes() {
    return shares.values().stream().mapToLong(share -> share.bytes.get()).sum();
  }

  /** The same, as the pools count it. */
  long held() {
    return pools().stream().mapToLong(Pool::bytes).sum();
  }

  long total() {
    return total;
  }

  /** Changes the whole. */
  void total(long bytes) {
    lock.lock();
    try {
      total = bytes;
      balance();
    } finally {
      lock.unlock();
    }
  }

  /** Changes a tenant's weight. */
  void weight(Tenant tenant, double weight) {
    lock.lock();
    try {
      weights.put(tenant, weight);
      Share share = shares.get(tenant);
      if (share != null) {
        weigh(weight - share.weight);
        share.pool.weight += weight - share.weight;
        share.weight = weight;
      }
      balance();
    } finally {
      lock.unlock();
    }
  }

  /** Forgets a tenant that holds nothing. */
  boolean forget(Share share) {
    lock.lock();
    try {
      if (share.bytes.get() != 0 || !shares.remove(share.tenant, share)) {
        return false;
      }
      share.pool.weight -= share.weight;
      own.remove(share.pool);
      weigh(-share.weight);
      return true;
    } finally {
      lock.unlock();
    }
  }

  List<Share> shares() {
    return List.copyOf(shares.values());
  }

  /** Sets all anew: who is within its part, and the limits. */
  void balance() {
    lock.lock();
    try {
      if (apart) {
        shares.values().forEach(this::settle);
      }
      limit();
    } finally {
      lock.unlock();
    }
  }

  /** Drops what is past its time. */
  void clean() {
    pools().forEach(Pool::clean);
  }

  /** What the tenant is sure of, in bytes. */
  long part(Share share) {
    return MemoryLimits.part(total, share.weight, all);
  }

  private void weigh(double more) {
    double sum = all + more;
    // What rounding left over counts for nobody.
    all = shares.isEmpty() ? 0 : sum;
  }

  private void settle(Share share) {
    long bytes = share.bytes.get();
    long part = part(share);
    if (share.pool == within && bytes > part) {
      Pool to = own.size() < OWN ? new Pool(0, nanos) : crowd;
      if (to != crowd) {
        own.add(to);
      }
      move(share, to);
    } else if (share.pool != within && bytes < part / 2) {
      Pool from = share.pool;
      move(share, within);
      if (from != crowd) {
        own.remove(from);
      }
    } else if (share.pool != within) {
      // What was put while it was moved may have gone to where it was.
      gather(share);
    }
  }

  private void move(Share share, Pool to) {
    Pool from = share.pool;
    long moved = share.bytes.get();
    to.limit(to.limit() + moved);
    to.weight += share.weight;
    from.weight -= share.weight;
    share.pool = to;
    gather(share);
    from.limit(Math.max(0, from.limit() - moved));
  }

  private static void gather(Share share) {
    for (TenantView view : share.views) {
      for (Held held : view.entries.values()) {
        share.pool.take(held);
      }
    }
  }

  private void limit() {
    List<Pool> pools = pools();
    double[] weight = pools.stream().mapToDouble(pool -> Math.max(0, pool.weight)).toArray();
    long whole = total;
    long headroom = whole / HEADROOM;
    long[] wanted = pools.stream().mapToLong(pool -> wanted(pool, headroom, whole)).toArray();
    long[] limits = MemoryLimits.of(whole, weight, wanted);
    // Those that give up go first, so that the sum is never more than the whole.
    for (int i = 0; i < limits.length; i++) {
      if (limits[i] < pools.get(i).limit()) {
        pools.get(i).limit(limits[i]);
      }
    }
    boolean enough = IntStream.range(0, limits.length).allMatch(i -> limits[i] >= wanted[i]);
    for (int i = 0; i < limits.length; i++) {
      Pool pool = pools.get(i);
      pool.limit(limits[i]);
      boolean entitled = limits[i] < MemoryLimits.part(whole, weight[i], all);
      pool.mark = entitled || enough ? limits[i] - headroom / 2 : Long.MAX_VALUE;
    }
  }

  /** Whoever has come near its limit is taken to want all that it can get. */
  private static long wanted(Pool pool, long headroom, long whole) {
    if (pool.weight <= 0) {
      return 0;
    }
    long bytes = pool.bytes();
    return bytes > pool.limit() - headroom ? whole : bytes + headroom;
  }

  private List<Pool> pools() {
    lock.lock();
    try {
      List<Pool> pools = new ArrayList<>(own.size() + 2);
      pools.add(within);
      pools.add(crowd);
      pools.addAll(own);
      return pools;
    } finally {
      lock.unlock();
    }
  }
}
