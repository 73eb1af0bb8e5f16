package dev.aquifer.cache;

import dev.aquifer.Tag;
import dev.aquifer.spi.Observer.CacheFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Values that the application says are current: their keys are void first, and then they are
 * stored, under leases that the void took.
 */
final class CurrentValues {
  private final Node node;
  private final Loads loads;

  CurrentValues(Node node, Loads loads) {
    this.node = node;
    this.loads = loads;
  }

  /**
   * Stores values that are current at this call: the void that it makes comes before them, and
   * every later one, which the sequences show, after.
   */
  void put(List<Flight> flights, List<?> values) {
    String token = node.token();
    List<Put> puts = puts(flights, values, token);
    store(puts, node.voids.make(discard(flights, token)));
  }

  /** As {@link #put}, with nobody waiting. */
  CompletableFuture<Void> putAsync(List<Flight> flights, List<?> values) {
    String token = node.token();
    List<Put> puts = puts(flights, values, token);
    return node.voids
        .makeAsync(discard(flights, token))
        .thenAccept(sequences -> store(puts, sequences));
  }

  private Voids.What discard(List<Flight> flights, String token) {
    List<Object> keys = flights.stream().map(flight -> flight.key).toList();
    return node.voids.keys(flights.get(0).view, keys, token);
  }

  /** In the order of the partitions that {@link #discard} names. */
  private List<Put> puts(List<Flight> flights, List<?> values, String token) {
    Map<TenantView, Put> puts = new LinkedHashMap<>();
    for (int i = 0; i < flights.size(); i++) {
      puts.computeIfAbsent(flights.get(i).view, view -> new Put(view, token))
          .add(flights.get(i), values.get(i));
    }
    return List.copyOf(puts.values());
  }

  private static void store(List<Put> puts, long[] sequences) {
    for (int i = 0; i < puts.size(); i++) {
      // Other partitions took the place of theirs before they were voided.
      puts.get(i).store(puts.size() == sequences.length ? sequences[i] : 0);
    }
  }

  /** Values of one view, and what was known of all that they depend on before the void. */
  private final class Put {
    private final TenantView view;
    private final String token;
    private final List<Flight> flights = new ArrayList<>();
    private final List<@Nullable Object> values = new ArrayList<>();
    private final List<long[]> known = new ArrayList<>();
    private final long sharedAsOf = node.shared.applied();

    Put(TenantView view, String token) {
      this.view = view;
      this.token = token;
    }

    void add(Flight flight, @Nullable Object value) {
      flights.add(flight);
      values.add(value);
      known.add(depends(flights.size() - 1, 0));
    }

    /** Sequences of what a value depends on; its key's is the one that the void has. */
    private long[] depends(int i, long ofKey) {
      Set<Tag> more = view.cache.tags(flights.get(i).key, values.get(i));
      TagCell[] cells = view.own(flights.get(i).keyCell, more);
      TagCell[] shared = view.shared(node.shared, more);
      long[] all = new long[cells.length + shared.length];
      for (int at = 1; at < all.length; at++) {
        all[at] = (at < cells.length ? cells[at] : shared[at - cells.length]).sequence();
      }
      all[0] = ofKey == 0 ? 0 : Long.max(0, cells[0].sequence() - ofKey);
      return all;
    }

    void store(long sequence) {
      Remote remote = node.remote();
      Runnable all =
          () -> {
            for (int i = 0; i < flights.size(); i++) {
              store(i, sequence, remote);
            }
          };
      if (remote == null) {
        all.run();
      } else {
        remote.together(all);
      }
    }

    private void store(int i, long sequence, @Nullable Remote remote) {
      Flight before = flights.get(i);
      Partition partition = view.partition;
      Flight after = new Flight(before.at, before.key, before.source, node, before.session);
      Remote.Lease lease =
          remote == null
              ? null
              : new Remote.Lease(
                  token, partition.incarnation(), sequence, node.shared.incarnation(), sharedAsOf);
      try {
        if (sequence > 0
            && Arrays.equals(known.get(i), depends(i, sequence))
            && (remote == null || (remote.readable(partition) && remote.readable(node.shared)))) {
          loads.store(after, lease, values.get(i), 0);
        } else {
          loads.giveBack(after, lease);
        }
      } catch (RuntimeException e) {
        view.cache.fault(CacheFault.UNENCODABLE, e);
        loads.giveBack(after, lease);
      }
    }
  }
}
