package dev.aquifer.cache;

import dev.aquifer.spi.Observer.CacheFault;
import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Fills of entries, and leases given back, that nobody waits for. What one batch of loads has to
 * say goes together.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisFills {
  /** A script's share: keys, and bytes of entries. */
  private static final int MOST = 512;

  private static final int MOST_BYTES = 4 << 20;

  private final Node node;
  private final RedisCalls calls;
  private final Leases leases;
  private final ServerClock clock;

  // An instance's, not static: nodes in one process are apart.
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<@Nullable Batch> batch = new ThreadLocal<>();

  RedisFills(Node node, RedisCalls calls, Leases leases, ServerClock clock) {
    this.node = node;
    this.calls = calls;
    this.leases = leases;
    this.clock = clock;
  }

  /** See {@link Remote#together}. */
  void together(Runnable work) {
    if (batch.get() != null) {
      work.run();
      return;
    }
    Batch mine = new Batch();
    batch.set(mine);
    try {
      work.run();
    } finally {
      batch.remove();
      mine.send();
    }
  }

  /** See {@link Remote#fill}. */
  void fill(TenantView view, String text, Remote.Lease lease, Remote.Filling filling) {
    CacheCore cache = view.cache;
    Envelope.Times times = times(filling);
    byte[] entry =
        Envelope.write(
            new Envelope.Place(StoredKeys.entry(view, text), cache.values.format),
            lease,
            filling,
            cache.values.codec,
            cache.settings.compressFrom(),
            times);
    Batch open = batch.get();
    Batch mine = open == null ? new Batch() : open;
    mine.add(new Fill(view, text, lease, filling, entry));
    if (open == null) {
      mine.send();
    }
  }

  private Envelope.Times times(Remote.Filling filling) {
    if (!clock.known()) {
      return Envelope.Times.UNKNOWN;
    }
    long now = clock.atLeast(node.nanos.getAsLong());
    return new Envelope.Times(now, now + filling.ttlMillis() + filling.staleMillis());
  }

  /** See {@link Remote#release}. */
  void release(TenantView view, String text, Remote.Lease lease) {
    Batch open = batch.get();
    if (open != null && (open.leaseView == null || open.leaseView == view)) {
      open.leaseView = view;
      open.texts.add(text);
      open.tokens.add(lease.token());
    } else {
      leases.end(view, text, lease.token());
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Fill(
      TenantView view, String text, Remote.Lease lease, Remote.Filling filling, byte[] entry) {
    /** Of what one script knows: one partition's one incarnation. */
    boolean sameScript(Fill other) {
      return view.partition == other.view.partition
          && lease.incarnation() == other.lease.incarnation();
    }
  }

  /** What one thread has to say at once. */
  private final class Batch {
    final List<Fill> fills = new ArrayList<>();
    final List<String> texts = new ArrayList<>();
    final List<String> tokens = new ArrayList<>();
    @Nullable TenantView leaseView;
    private int size;

    void add(Fill fill) {
      boolean full = fills.size() == MOST || size + fill.entry.length > MOST_BYTES;
      if (!fills.isEmpty() && (full || !fill.sameScript(fills.get(0)))) {
        sendFills();
      }
      fills.add(fill);
      size += fill.entry.length;
    }

    void send() {
      sendFills();
      TenantView view = leaseView;
      if (view != null) {
        leases.end(view, texts, tokens);
      }
    }

    private void sendFills() {
      if (!fills.isEmpty()) {
        RedisFills.this.send(List.copyOf(fills));
        fills.clear();
        size = 0;
      }
    }
  }

  private void send(List<Fill> fills) {
    Fill first = fills.get(0);
    List<byte[]> keys = new ArrayList<>(2 * fills.size());
    List<byte[]> args = new ArrayList<>(1 + 8 * fills.size());
    args.add(StoredKeys.bytes(node.guards.leases ? "1" : "0"));
    for (Fill fill : fills) {
      Remote.Stored stored = StoredKeys.of(fill.view, fill.text);
      keys.add(stored.entry());
      keys.add(stored.lease());
      args.add(StoredKeys.bytes(fill.lease.token()));
      args.add(StoredKeys.bytes(Long.toString(fill.lease.asOf())));
      long millis = fill.filling.ttlMillis() + fill.filling.staleMillis();
      args.add(StoredKeys.bytes(Long.toString(millis)));
      args.add(fill.entry);
      List<String> tags = fill.filling.tags();
      if (node.guards.markers) {
        args.add(StoredKeys.bytes(Integer.toString(1 + tags.size())));
        args.add(StoredKeys.bytes(KeyText.cacheName(fill.view.cache.name)));
        tags.forEach(tag -> args.add(StoredKeys.bytes(KeyText.tagName(tag))));
      } else {
        args.add(StoredKeys.bytes("0"));
      }
    }
    RedisCalls.Call call =
        new RedisCalls.Call(first.view.partition, first.lease.incarnation(), 0, keys, args, 0);
    CompletableFuture<List<Object>> sent = calls.submit(Script.FILL, ScriptOutputType.MULTI, call);
    sent.whenComplete(
        (accepted, error) -> {
          for (int i = 0; i < fills.size(); i++) {
            CacheCore cache = fills.get(i).view.cache;
            if (error != null) {
              cache.fault(CacheFault.REMOTE, error);
            } else if (accepted.get(i) instanceof Long stored && stored == 0) {
              cache.fault(CacheFault.FILL_REFUSED, null);
            }
          }
        });
  }
}
