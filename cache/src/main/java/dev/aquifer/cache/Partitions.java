package dev.aquifer.cache;

import dev.aquifer.Tenant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/**
 * One tenant's partitions, among which its keys are spread by their hash; most tenants have one. A
 * key's void concerns its partition, every other void all of them.
 *
 * <p>Nodes that divide a tenant differently would look for a key, and void it, in different places.
 * So the number is decided in Redis, by whoever makes the state of the first partition, which names
 * it; and every other partition's state names the incarnation of the first that it belongs to. A
 * script that is sent by somebody who thinks otherwise does nothing but say so: an asker of the
 * first partition then divides the tenant as it says, and an asker of another asks the first, whose
 * word decides. What was void under another division is void in all partitions of the next.
 *
 * <p>Where Redis lost the first partition, the others belong to an incarnation that is gone, and so
 * are made anew by whoever knows the new one, whatever the number then is. Whoever does not know of
 * it yet hears of it with the first event, which voids all partitions here at once.
 */
final class Partitions {
  /** A causal token may name all of one tenant's. */
  static final int MOST = 32;

  final Tenant tenant;
  final List<Partition> all;

  Partitions(Tenant tenant, int count, AtomicLong ticks, LongSupplier nanos) {
    this.tenant = tenant;
    Partition first = new Partition(name(tenant, 0), tenant, null, count, ticks, nanos);
    List<Partition> others =
        IntStream.range(1, count)
            .mapToObj(i -> new Partition(name(tenant, i), tenant, first, count, ticks, nanos))
            .toList();
    first.others = others;
    this.all = IntStream.range(0, count).mapToObj(i -> i == 0 ? first : others.get(i - 1)).toList();
  }

  /** The one that has the key. */
  Partition of(Object form) {
    return all.get(index(form, all.size()));
  }

  Partition first() {
    return all.get(0);
  }

  /** The name of the first partition of whoever has this one. */
  static String first(String name) {
    return name.substring(0, name.lastIndexOf(':') + 1) + '0';
  }

  private static String name(Tenant tenant, int index) {
    return tenant.id() + ":" + index;
  }

  /** Which of so many partitions has the key; the same on every node, and in every JVM. */
  static int index(Object form, int count) {
    int hash;
    if (form instanceof String || form instanceof Long || form instanceof Integer) {
      hash = form.hashCode();
    } else if (form instanceof UUID id) {
      hash = Long.hashCode(id.getMostSignificantBits() ^ id.getLeastSignificantBits());
    } else {
      hash = KeyForm.text(form).hashCode();
    }
    return Integer.remainderUnsigned((hash * 0x9E3779B9) >>> 7, count);
  }
}
