package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One tenant's part of one cache, with what of it is in memory; where the tenant has several
 * partitions, that of the first, which knows those of the others. Kept while it is used, so its
 * cells are too.
 */
final class TenantView {
  final CacheCore cache;
  final Tenant tenant;
  final Partition partition;
  final TagCell cacheCell;
  private final AtomicInteger negatives;
  final byte[] entryPrefix;
  final byte[] leasePrefix;
  final Share share;

  /** Changed by the {@link Pool} that holds the entry, in step with what it holds. */
  final ConcurrentHashMap<Object, Held> entries = new ConcurrentHashMap<>();

  private @Nullable CausalSession session;
  private final TagCell[] fixed;
  private final TagCell[] fixedShared;

  /** Of all partitions, by their number; null where there is one. */
  private final TenantView @Nullable [] parts;

  TenantView(CacheCore cache, Partitions partitions, Partition shared) {
    this(cache, partitions.tenant, partitions.first(), shared, new AtomicInteger(), partitions);
  }

  private TenantView(
      CacheCore cache,
      Tenant tenant,
      Partition partition,
      Partition shared,
      AtomicInteger negatives,
      @Nullable Partitions partitions) {
    this.cache = cache;
    this.negatives = negatives;
    this.tenant = tenant;
    this.partition = partition;
    this.share = cache.node.share(tenant);
    this.cacheCell = partition.cell(KeyText.cacheName(cache.name));
    this.entryPrefix = partition.stored.entries(cache);
    this.leasePrefix = partition.stored.leases(cache);
    this.fixed = cells(partition, cache.settings.tags());
    this.fixedShared = cells(shared, cache.settings.tags());
    this.parts =
        partitions == null || partitions.all.size() == 1
            ? null
            : partitions.all.stream()
                .map(
                    p ->
                        p == partition
                            ? this
                            : new TenantView(cache, tenant, p, shared, negatives, null))
                .toArray(TenantView[]::new);
    share.views.add(this);
  }

  /** That of the partition which has the key; to be asked of the first. */
  TenantView of(Object form) {
    return parts == null ? this : parts[Partitions.index(form, parts.length)];
  }

  /** What all partitions have. */
  List<TenantView> all() {
    return parts == null ? List.of(this) : List.of(parts);
  }

  /** An entry comes into memory. False: it says that there is no value, as too many do already. */
  boolean count(Entry entry) {
    if (entry.negative() && negatives.incrementAndGet() > cache.settings.loads().negativeLimit()) {
      negatives.decrementAndGet();
      cache.negativesRefused.increment();
      return false;
    }
    cache.entries.increment();
    cache.bytes.add(entry.weight());
    return true;
  }

  /** An entry has left memory. */
  void uncount(Entry entry, boolean evicted) {
    if (entry.negative()) {
      negatives.decrementAndGet();
    }
    cache.entries.decrement();
    cache.bytes.add(-entry.weight());
    if (evicted) {
      cache.evictions.increment();
    }
  }

  /** The tenant's session, remembered: a look-up less. */
  CausalSession session(CausalSessions sessions) {
    CausalSession known = session;
    if (known == null || known.forgotten()) {
      known = sessions.of(tenant);
      session = known;
    }
    return known;
  }

  /** The cells that an entry of this key depends on. */
  TagCell[] own(TagCell key, Set<Tag> more) {
    TagCell[] found = new TagCell[2 + fixed.length + more.size()];
    found[0] = key;
    found[1] = cacheCell;
    System.arraycopy(fixed, 0, found, 2, fixed.length);
    fill(partition, more, found, 2 + fixed.length);
    return found;
  }

  /** The same of the shared partition, which has only tags. */
  TagCell[] shared(Partition shared, Set<Tag> more) {
    if (more.isEmpty()) {
      return fixedShared;
    }
    TagCell[] found = new TagCell[fixedShared.length + more.size()];
    System.arraycopy(fixedShared, 0, found, 0, fixedShared.length);
    fill(shared, more, found, fixedShared.length);
    return found;
  }

  private static TagCell[] cells(Partition partition, Set<Tag> tags) {
    TagCell[] found = new TagCell[tags.size()];
    fill(partition, tags, found, 0);
    return found;
  }

  private static void fill(Partition partition, Set<Tag> tags, TagCell[] into, int at) {
    int next = at;
    for (Tag tag : tags) {
      into[next++] = partition.cell(KeyText.tagName(tag.name()));
    }
  }
}
