package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.batch.BatchSettings;
import dev.aquifer.batch.BatchSink;
import dev.aquifer.batch.BatchStatistics;
import dev.aquifer.batch.Batcher;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Writes through a cache, many at a time: one write of the source, then the keys are void
 * everywhere and the new values are stored. Made by {@link TieredCache#writer}. Thread-safe; to be
 * closed before its {@link Caches} are.
 *
 * <p>A write ends when the source has it and the cache has voided what was there before; whoever
 * bears the writer's causal token then finds it on every node. Where the source fails, the keys are
 * void all the same, since it may have written them, and the write fails with its error. Writes of
 * one key are never reordered; the source sees the last one of a batch.
 *
 * <p>Values are stored only where nothing else of the tenant was voided between the source's write
 * and the void; else the next read loads them. So of two nodes that write one key at a time neither
 * stores what the other has overwritten.
 *
 * @param <K> keys
 * @param <V> values
 */
@SuppressWarnings("NullAway") // of a future's type argument from another module it knows no null
public final class CacheWriter<K, V> implements AutoCloseable {
  private final CacheCore core;
  private final BulkWriter<? super K, ? super V> source;
  private final Batcher<Write<K, V>> batcher;

  CacheWriter(CacheCore core, BulkWriter<? super K, ? super V> source, BatchSettings settings) {
    this.core = core;
    this.source = source;
    this.batcher =
        Batcher.<Write<K, V>>ordered(
                BatchSink.blocking(this::write),
                settings,
                write -> new Place(write.view, write.text),
                core.node.executor,
                core.node.timer)
            .clock(core.node.nanos);
  }

  /** One call of {@link #write}. */
  private record Write<K, V>(TenantView view, String text, K key, V value, CausalSession session) {}

  private record Place(TenantView view, String text) {}

  /**
   * Writes a value, with others. Waits only for room, as the settings say.
   *
   * @return ends when source and cache have it, or with why the source has not
   * @throws dev.aquifer.MissingTenantException when no tenant is current
   * @throws dev.aquifer.batch.BatchFullException when there is no room in time; nothing was written
   */
  public CompletableFuture<@Nullable Void> write(K key, V value) {
    TenantView view = core.view(TenantContext.require());
    return batcher.add(
        new Write<>(view, KeyText.of(key), key, value, core.node.sessions.current()));
  }

  /** Writes what waits now; ends when all of it was written or failed. */
  public CompletableFuture<@Nullable Void> flush() {
    return batcher.flush();
  }

  /** What was written, and what waits. */
  public BatchStatistics statistics() {
    return batcher.statistics();
  }

  /** Takes no more writes, and waits for those that it has as long as the settings say. */
  @Override
  public void close() {
    batcher.close();
  }

  private void write(List<Write<K, V>> batch) throws Exception {
    Map<Tenant, List<Write<K, V>>> tenants = new LinkedHashMap<>();
    for (Write<K, V> write : batch) {
      tenants.computeIfAbsent(write.view.tenant, tenant -> new ArrayList<>()).add(write);
    }
    Exception failed = null;
    for (List<Write<K, V>> mine : tenants.values()) {
      try {
        writeOne(mine);
      } catch (Exception e) {
        failed = joined(failed, e);
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  private static Exception joined(@Nullable Exception first, Exception next) {
    if (first == null || first == next) {
      return next;
    }
    first.addSuppressed(next);
    return first;
  }

  private void writeOne(List<Write<K, V>> batch) throws Exception {
    TenantView view = batch.get(0).view;
    Map<String, Write<K, V>> last = new LinkedHashMap<>();
    // Taken out first: the order is that of the last writes.
    batch.forEach(
        write -> {
          last.remove(write.text);
          last.put(write.text, write);
        });
    Map<K, V> values = new LinkedHashMap<>();
    last.values().forEach(write -> values.put(write.key, write.value));
    Map<TenantView, Puts> puts = new LinkedHashMap<>();
    last.values()
        .forEach(
            write ->
                puts.computeIfAbsent(part(write), part -> new Puts(core.node, part))
                    .add(write.key, write.value));
    try {
      view.tenant.call(
          () -> {
            source.writeAll(java.util.Collections.unmodifiableMap(values));
            return null;
          });
    } catch (Throwable e) {
      // It may have written them.
      end(batch, puts, Puts::discard);
      throw e;
    }
    end(batch, puts, Puts::store);
  }

  private TenantView part(Write<K, V> write) {
    return core.live(write.view).of(KeyForm.of(write.key));
  }

  private static <K, V> void end(
      List<Write<K, V>> batch, Map<TenantView, Puts> puts, ToLongFunction<Puts> how) {
    for (Puts part : puts.values()) {
      long sequence = how.applyAsLong(part);
      batch.forEach(write -> part.observe(write.session, sequence));
    }
  }
}
