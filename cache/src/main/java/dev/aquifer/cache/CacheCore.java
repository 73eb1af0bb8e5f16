package dev.aquifer.cache;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** What all tenants' parts of one cache share: its name, settings, codec and counts. */
final class CacheCore {
  final String name;
  final CacheSettings settings;
  final @Nullable Tagger<Object, Object> tagger;
  final Node node;
  final Values values;
  final long memoryLimit;
  final LongAdder memoryHits = new LongAdder();
  final LongAdder remoteHits = new LongAdder();
  final LongAdder loads = new LongAdder();
  final LongAdder failures = new LongAdder();
  final LongAdder faults = new LongAdder();
  final LongAdder staleAnswers = new LongAdder();
  final LongAdder loadNanos = new LongAdder();
  final LongAdder refreshes = new LongAdder();
  final LongAdder refreshesRefused = new LongAdder();
  final LongAdder fillsRefused = new LongAdder();
  final LongAdder negativesRefused = new LongAdder();
  final LongAdder evictions = new LongAdder();
  final LongAdder entries = new LongAdder();
  final LongAdder bytes = new LongAdder();
  final @Nullable TtlPolicy<Object, Object> ttlPolicy;
  final @Nullable LastUses uses;
  final Shadow.Counts shadow = new Shadow.Counts();
  final HitShare remoteShare = new HitShare();
  private final boolean optional;
  private final ConcurrentHashMap<Tenant, TenantView> views = new ConcurrentHashMap<>();

  @SuppressWarnings("unchecked") // an error of the wrong type is a policy's error
  CacheCore(
      String name,
      Type type,
      CacheSettings settings,
      @Nullable Tagger<Object, Object> tagger,
      Node node) {
    this.name = name;
    this.settings = settings;
    this.tagger = tagger;
    this.node = node;
    Codec codec = settings.codec() == null ? node.codec : settings.codec();
    this.values = new Values(type, codec, node.guards.format);
    this.ttlPolicy = (TtlPolicy<Object, Object>) settings.loads().ttlPolicy();
    this.uses = ttlPolicy != null && ttlPolicy.tracksUse() ? new LastUses() : null;
    this.optional =
        type == Optional.class
            || (type instanceof ParameterizedType p && p.getRawType() == Optional.class);
    long tolerance = settings.remoteLoss().tolerance().toNanos();
    this.memoryLimit = node.alone() ? Long.MAX_VALUE : node.silence() + tolerance;
  }

  TenantView view(Tenant tenant) {
    TenantView view = views.get(tenant);
    return view != null ? view : views.computeIfAbsent(tenant, this::opened);
  }

  /** The view, or the one that took its place since its tenant was idle. */
  TenantView live(TenantView view) {
    TenantView found = view;
    while (found.partition.closed()) {
      forget(found);
      found = view(found.tenant);
    }
    return found;
  }

  void forget(TenantView view) {
    views.remove(view.tenant, view);
    view.share.views.removeAll(view.all());
  }

  private TenantView opened(Tenant tenant) {
    return new TenantView(this, node.partitions(tenant), node.shared);
  }

  boolean absent(@Nullable Object value) {
    return value == null || (value instanceof Optional<?> o && o.isEmpty());
  }

  /** Whether the adoption keeps the cache from answering reads of the key. */
  boolean bypassed(Adoption adoption, TenantView view, Object key) {
    return adoption.mode(name, view.tenant, key) != Adoption.Mode.ON;
  }

  /** What memory answers with an entry. */
  @Nullable Object answered(TenantView view, Entry hit) {
    memoryHits.increment();
    node.observer.cacheAnswered(name, view.tenant, Observer.Tier.L1);
    return hit.negative() ? none() : hit.value();
  }

  /** What callers get where there is no value. */
  @Nullable Object none() {
    return optional ? Optional.empty() : null;
  }

  /** The tags that depend on the value; an error of the tagger's is the caller's to handle. */
  Set<Tag> tags(Object key, @Nullable Object value) {
    return tagger == null ? Set.of() : tagger.tags(key, value);
  }

  void fault(Observer.CacheFault fault, @Nullable Throwable error) {
    faults.increment();
    if (fault == Observer.CacheFault.FILL_REFUSED) {
      fillsRefused.increment();
    }
    node.observer.cacheFault(name, fault, error);
  }

  CacheStatistics statistics() {
    return new CacheStatistics(
        memoryHits.sum(),
        remoteHits.sum(),
        staleAnswers.sum(),
        loads.sum(),
        failures.sum(),
        Duration.ofNanos(Math.max(0, loadNanos.sum())),
        refreshes.sum(),
        refreshesRefused.sum(),
        faults.sum(),
        fillsRefused.sum(),
        negativesRefused.sum(),
        evictions.sum(),
        Math.max(0, entries.sum()),
        Math.max(0, bytes.sum()));
  }
}
