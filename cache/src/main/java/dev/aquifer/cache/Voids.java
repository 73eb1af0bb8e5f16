package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.Scope;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What this node voids: a key in its partition, all else in every partition of its tenant, in one
 * round trip each, at the same time. A void that meets a closed partition is made again, in those
 * that took its place, before it is acknowledged: its floor and its caller's session with it.
 */
final class Voids {
  private final Node node;

  Voids(Node node) {
    this.node = node;
  }

  /**
   * One void.
   *
   * @param where in which partitions, asked anew where one of them was closed
   * @param tenant null: work without one
   * @param token of leases to be taken on the keys
   * @param poison that it lifts
   */
  record What(
      Supplier<List<Remote.Part>> where,
      @Nullable Tenant tenant,
      Scope scope,
      int count,
      ReadFloor floor,
      @Nullable String token,
      @Nullable String poison) {}

  /** Keys of a cache, for the view's tenant. */
  What keys(TenantView view, Collection<?> keys, @Nullable String token) {
    return new What(
        () -> parts(view, keys), view.tenant, Scope.KEY, keys.size(), ReadFloor.NONE, token, null);
  }

  /** Names that are no keys', for the tenant, or for all where it is null. */
  What names(@Nullable Tenant tenant, List<String> names, ReadFloor floor, Scope scope) {
    return new What(() -> parts(tenant, names), tenant, scope, names.size(), floor, null, null);
  }

  /** Ranges of a timeline of the tenant's, which is in one partition. */
  What ranges(Tenant tenant, String timeline, Collection<Timeline.Span> spans) {
    List<String> names = Timeline.names(timeline, spans);
    return new What(
        () -> List.of(new Remote.Part(node.partitions(tenant).of(timeline), names, List.of())),
        tenant,
        Scope.RANGE,
        names.size(),
        ReadFloor.NONE,
        null,
        null);
  }

  /** The same of a write that was poisoned, and is committed: the poison is lifted. */
  What poisoned(@Nullable Tenant tenant, List<String> names, ReadFloor floor, String poison) {
    return new What(
        () -> parts(tenant, names), tenant, Scope.TAG, names.size(), floor, null, poison);
  }

  /**
   * Voids, here and everywhere.
   *
   * @return the sequence in each of the partitions that it names; all 0 where they were closed
   *     meanwhile, one 0 where it is not known yet
   */
  long[] make(What what) {
    ReadFloor demand = what.floor.and(node.positions.now());
    CausalSession session = node.sessions.current();
    List<Remote.Part> first = what.where.get();
    List<Remote.Part> parts = first;
    long[] sequences = made(parts, demand, what);
    while (closed(parts)) {
      parts = what.where.get();
      sequences = made(parts, demand, what);
    }
    acknowledged(parts, sequences, what, session);
    return parts == first ? sequences : new long[first.size()];
  }

  /** As {@link #make}, with nobody waiting. */
  CompletableFuture<long[]> makeAsync(What what) {
    return again(what, what.floor.and(node.positions.now()), node.sessions.current(), null);
  }

  private CompletableFuture<long[]> again(
      What what, ReadFloor demand, CausalSession session, @Nullable List<Remote.Part> before) {
    List<Remote.Part> parts = what.where.get();
    return told(parts, demand, what)
        .thenCompose(
            sequences -> {
              List<Remote.Part> first = before == null ? parts : before;
              if (closed(parts)) {
                return again(what, demand, session, first);
              }
              acknowledged(parts, sequences, what, session);
              return CompletableFuture.completedFuture(
                  parts == first ? sequences : new long[first.size()]);
            });
  }

  private long[] made(List<Remote.Part> parts, ReadFloor demand, What what) {
    used(what);
    Remote link = node.remote();
    if (link == null) {
      return here(parts, demand);
    }
    return what.poison == null
        ? node.limiter.voidNames(link, parts, demand, what.token)
        : link.voidNames(parts, demand, null, what.poison);
  }

  private CompletableFuture<long[]> told(List<Remote.Part> parts, ReadFloor demand, What what) {
    used(what);
    Remote link = node.remote();
    if (link == null) {
      return CompletableFuture.completedFuture(here(parts, demand));
    }
    List<CompletableFuture<Long>> each = new ArrayList<>(parts.size());
    for (Remote.Part part : parts) {
      each.add(node.limiter.voidNamesAsync(link, part, demand, what.token));
    }
    return CompletableFuture.allOf(each.toArray(new CompletableFuture<?>[0]))
        .thenApply(all -> each.stream().mapToLong(CompletableFuture::join).toArray());
  }

  private static long[] here(List<Remote.Part> parts, ReadFloor demand) {
    return parts.stream()
        .mapToLong(part -> part.partition().voidHere(part.names(), demand, true))
        .toArray();
  }

  private static boolean closed(List<Remote.Part> parts) {
    for (Remote.Part part : parts) {
      if (part.partition().closed()) {
        return true;
      }
    }
    return false;
  }

  private void acknowledged(
      List<Remote.Part> parts, long[] sequences, What what, CausalSession session) {
    for (int i = 0; i < sequences.length; i++) {
      observe(session, parts.get(i).partition(), sequences[i]);
    }
    if (what.tenant != null) {
      node.observer.cacheInvalidated(what.tenant, what.scope, what.count);
    }
  }

  /** The session is shown no less than the void of this sequence, if it is known. */
  static void observe(CausalSession session, Partition partition, long sequence) {
    if (sequence > 0) {
      session.observe(partition.name, sequence);
      Partition first = partition.first;
      if (first != null) {
        // Whoever divides the tenant otherwise is not as far there.
        session.observe(first.name, first.applied());
      }
    }
  }

  private void used(What what) {
    if (what.tenant != null) {
      node.share(what.tenant).used();
    }
  }

  private List<Remote.Part> parts(@Nullable Tenant tenant, List<String> names) {
    List<Partition> partitions =
        tenant == null ? List.of(node.shared) : node.partitions(tenant).all;
    return partitions.stream()
        .map(partition -> new Remote.Part(partition, names, List.of()))
        .toList();
  }

  private static List<Remote.Part> parts(TenantView any, Collection<?> keys) {
    TenantView view = any.cache.live(any);
    Map<Partition, Remote.Part> parts = new LinkedHashMap<>();
    for (Object key : keys) {
      Object form = KeyForm.of(key);
      String text = KeyForm.text(form);
      TenantView mine = view.of(form);
      Remote.Part part =
          parts.computeIfAbsent(
              mine.partition, p -> new Remote.Part(p, new ArrayList<>(), new ArrayList<>()));
      part.names().add(KeyText.keyName(view.cache.name, text));
      part.stored().add(StoredKeys.of(mine, text));
    }
    return List.copyOf(parts.values());
  }
}
