package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Values of one tenant's partition that are about to be written to their source, and are stored
 * afterwards: one void, then one round trip of leases.
 *
 * <p>Why nothing stale is stored: another node that writes one of these keys voids it after its
 * write. Came its write after ours, but its void before our void, then the sequence moved by more
 * than our void since we began, and nothing is stored. Came its void after ours, it takes away the
 * lease or the entry, or its mark is later than ours when the lease was granted.
 */
final class Puts {
  private final Node node;
  private final TenantView view;
  private final Partition partition;
  private final long incarnation;
  private final long before;
  private final long sharedBefore;
  private final List<Flight> flights = new ArrayList<>();
  private final List<@Nullable Object> values = new ArrayList<>();

  /** Who wrote is shown no less than the void. */
  void observe(CausalSession session, long sequence) {
    Voids.observe(session, partition, sequence);
  }

  /** Made before the source is written. */
  Puts(Node node, TenantView view) {
    this.node = node;
    this.view = view;
    this.partition = view.partition;
    this.incarnation = partition.incarnation();
    this.before = partition.applied();
    this.sharedBefore = node.shared.applied();
  }

  void add(Object key, @Nullable Object value) {
    flights.add(flight(key, value));
    values.add(value);
  }

  private Flight flight(Object key, @Nullable Object value) {
    return new Flight(new MemoryKey(view, KeyForm.of(key)), key, () -> value, node);
  }

  /** Voids the keys. Returns the void's sequence, 0 where it is not known yet. */
  long discard() {
    List<Object> keys = flights.stream().map(flight -> flight.key).toList();
    return node.voids.make(node.voids.keys(view, keys, null))[0];
  }

  /** Voids the keys and stores the values, where that is safe. Returns the void's sequence. */
  long store() {
    long sequence = discard();
    if (sequence == 0
        || sequence != before + 1
        || incarnation != partition.incarnation()
        || sharedBefore != node.shared.applied()) {
      return sequence;
    }
    // From now on their ticks are later than the void's, and earlier than that of any other.
    List<Flight> after = new ArrayList<>();
    for (int i = 0; i < flights.size(); i++) {
      after.add(flight(flights.get(i).key, values.get(i)));
    }
    Remote.@Nullable Answer[] answers = leases(after);
    for (int i = 0; i < after.size(); i++) {
      Remote.Answer answer = answers[i];
      Remote.Lease lease = answer == null ? null : answer.lease();
      boolean current =
          lease == null
              ? node.alone()
              : lease.incarnation() == incarnation && lease.sharedAsOf() == sharedBefore;
      node.flights.stored(after.get(i), lease, values.get(i), current ? sequence : 0);
    }
    return sequence;
  }

  private Remote.@Nullable Answer[] leases(List<Flight> after) {
    Remote remote = node.remote();
    Remote.@Nullable Answer[] none = new Remote.@Nullable Answer[after.size()];
    if (remote == null || !remote.readable(partition)) {
      return none;
    }
    List<Remote.Ask> asks = new ArrayList<>();
    for (Flight flight : after) {
      boolean fits = flight.text.length() <= view.cache.settings.maxKeyChars();
      asks.add(new Remote.Ask(flight.text, fits, null));
    }
    try {
      return remote.read(view, node.sessions.current(), asks, false).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return none;
    }
  }
}
