package dev.aquifer.cache;

import dev.aquifer.spi.Observer.CacheFault;
import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The leases that this process holds. They are short, so that another process takes over soon after
 * this one died, and go on while a load runs: each is renewed when a third of its time has passed,
 * until it is ended or the load's own limit is over. A process that stood still finds its lease
 * gone or another's; it cannot get it back, and its fill is refused.
 */
final class Leases {
  /** A script's share, at most. */
  private static final int MOST = 512;

  private final Node node;
  private final RedisCalls calls;
  private final long nanos;
  private final byte[] millis;
  private final Map<String, Held> held = new ConcurrentHashMap<>();

  /** A lease on one key. */
  private static final class Held {
    final TenantView view;
    final String text;
    final String token;

    /** When its load must have ended, in nanoseconds. */
    final long until;

    volatile long renewed;

    Held(TenantView view, String text, String token, long now) {
      this.view = view;
      this.text = text;
      this.token = token;
      this.until = now + 2 * view.cache.settings.loadTimeout().toNanos();
      this.renewed = now;
    }
  }

  Leases(Node node, RedisCalls calls, NodeSettings settings) {
    this.node = node;
    this.calls = calls;
    this.nanos = settings.leaseTime().toNanos();
    this.millis = StoredKeys.bytes(Long.toString(settings.leaseTime().toMillis()));
  }

  /** How long a lease is granted for. */
  byte[] millis() {
    return millis;
  }

  /** How often {@link #renew} is due, in nanoseconds. */
  long interval() {
    return Math.max(TimeUnit.MILLISECONDS.toNanos(1), nanos / 6);
  }

  void granted(TenantView view, String text, String token) {
    held.put(name(text, token), new Held(view, text, token, node.nanos.getAsLong()));
  }

  /** A fill or a void ended it. */
  void ended(String text, String token) {
    held.remove(name(text, token));
  }

  /** Gives it back. Does not wait. */
  void end(TenantView view, String text, String token) {
    end(view, List.of(text), List.of(token));
  }

  /** Gives several back. */
  void end(TenantView view, List<String> texts, List<String> tokens) {
    List<byte[]> keys = new ArrayList<>(texts.size());
    List<byte[]> args = new ArrayList<>(texts.size() + 1);
    args.add(StoredKeys.bytes("0"));
    for (int i = 0; i < texts.size(); i++) {
      ended(texts.get(i), tokens.get(i));
      keys.add(StoredKeys.lease(view, texts.get(i)));
      args.add(StoredKeys.bytes(tokens.get(i)));
    }
    send(view.partition, view.cache.name, keys, args);
  }

  /** Those that have waited long enough go on. */
  void renew() {
    if (held.isEmpty() || !calls.open()) {
      return;
    }
    long now = node.nanos.getAsLong();
    Map<Partition, List<Held>> due = new HashMap<>();
    held.forEach(
        (name, lease) -> {
          if (now - lease.until > 0) {
            held.remove(name, lease);
          } else if (now - lease.renewed >= nanos / 3) {
            lease.renewed = now;
            due.computeIfAbsent(lease.view.partition, p -> new ArrayList<>()).add(lease);
          }
        });
    due.forEach(this::renew);
  }

  private void renew(Partition partition, List<Held> due) {
    for (int from = 0; from < due.size(); from += MOST) {
      List<byte[]> keys = new ArrayList<>();
      List<byte[]> args = new ArrayList<>(List.of(millis));
      for (Held lease : due.subList(from, Math.min(due.size(), from + MOST))) {
        keys.add(StoredKeys.lease(lease.view, lease.text));
        args.add(StoredKeys.bytes(lease.token));
      }
      send(partition, "", keys, args);
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a lease that is not told of ends by itself
  private void send(Partition partition, String cache, List<byte[]> keys, List<byte[]> args) {
    RedisCalls.Call call = RedisCalls.Call.of(partition, keys, args, 0);
    CompletableFuture<Long> sent = calls.submit(Script.HOLD, ScriptOutputType.INTEGER, call);
    sent.exceptionally(
        error -> {
          node.observer.cacheFault(cache, CacheFault.REMOTE, error);
          return 0L;
        });
  }

  private static String name(String text, String token) {
    return token + ' ' + text;
  }
}
