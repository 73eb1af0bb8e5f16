package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Voids of a tenant over its limit: what is voided within a while goes to Redis together, on the
 * thread of whoever came first. Each caller waits for that, so what was acknowledged is void: the
 * tenant that voids too often is slowed down, and nobody is shown anything stale. Many names become
 * one void of the whole partition.
 */
final class VoidGroups {
  private static final int WIDE = 256;
  private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(5);

  /** How long a group stays open. */
  volatile long open = TimeUnit.MILLISECONDS.toNanos(100);

  private final ConcurrentHashMap<Partition, Group> groups = new ConcurrentHashMap<>();

  /** Joined inside the map's compute, and sent when it is out of the map. */
  private static final class Group {
    private final Map<String, Remote.@Nullable Stored> names = new LinkedHashMap<>();
    private ReadFloor floor = ReadFloor.NONE;
    private final CompletableFuture<Long> sent = new CompletableFuture<>();

    void add(List<String> more, List<Remote.Stored> stored, ReadFloor demand) {
      for (int i = 0; i < more.size() && names.size() <= WIDE; i++) {
        names.put(more.get(i), i < stored.size() ? stored.get(i) : null);
      }
      floor = floor.and(demand);
    }

    boolean wide() {
      return names.size() > WIDE || names.containsKey(Partition.ALL);
    }
  }

  /** How many are open. */
  int size() {
    return groups.size();
  }

  /** Voids the names, with others; returns when that is done, as {@link Remote#voidNames} does. */
  long voidNames(Remote remote, Remote.Part part, ReadFloor floor, Guards guards) {
    Partition partition = part.partition();
    Group made = new Group();
    Group group =
        groups.compute(
            partition,
            (p, found) -> {
              Group joined = found == null ? made : found;
              joined.add(part.names(), part.stored(), floor);
              return joined;
            });
    if (group == made) {
      return lead(remote, partition, group);
    }
    if (!guards.groupedVoids) {
      return 0;
    }
    Long sequence = awaited(group.sent, LONGEST_WAIT);
    return sequence != null ? sequence : send(remote, part, floor);
  }

  private long lead(Remote remote, Partition partition, Group group) {
    long sequence = 0;
    boolean interrupted = false;
    try {
      // Nobody completes it before: this is the while.
      group.sent.get(open, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      // The others' voids are not to suffer from it.
      interrupted = true;
    } catch (TimeoutException | ExecutionException e) {
      // Time is up.
    }
    groups.remove(partition, group);
    try {
      sequence = send(remote, partition, group);
    } finally {
      group.sent.complete(sequence);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    return sequence;
  }

  private static long send(Remote remote, Partition partition, Group group) {
    if (group.wide()) {
      return send(
          remote, new Remote.Part(partition, List.of(Partition.ALL), List.of()), group.floor);
    }
    List<String> names = new ArrayList<>();
    List<Remote.Stored> stored = new ArrayList<>();
    group.names.forEach(
        (name, place) -> {
          if (place != null) {
            names.add(name);
            stored.add(place);
          }
        });
    group.names.forEach(
        (name, place) -> {
          if (place == null) {
            names.add(name);
          }
        });
    return send(remote, new Remote.Part(partition, names, stored), group.floor);
  }

  private static long send(Remote remote, Remote.Part part, ReadFloor floor) {
    return remote.voidNames(List.of(part), floor, null, null)[0];
  }

  /** Also for an interrupted caller: it must not be told before it is so. */
  private static @Nullable Long awaited(CompletableFuture<Long> sent, long limit) {
    long deadline = System.nanoTime() + limit;
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return sent.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (TimeoutException | ExecutionException e) {
          return null;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
