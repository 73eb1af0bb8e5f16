package dev.aquifer.cache;

import java.util.concurrent.atomic.AtomicReferenceArray;
import tools.jackson.core.util.BufferRecycler;
import tools.jackson.core.util.RecyclerPool;

/**
 * Keeps the buffers of parsers and generators for the next one: a few, whatever the number of
 * threads, platform or virtual. Each thread begins at a place of its own, so threads seldom meet.
 */
final class JacksonBuffers implements RecyclerPool<BufferRecycler> {
  private static final long serialVersionUID = 1;
  private static final int PLACES = 64;
  private static final int TRIES = 2;

  // Padded: two places are never in one cache line.
  private static final int STRIDE = 16;

  private final transient AtomicReferenceArray<BufferRecycler> places =
      new AtomicReferenceArray<>(PLACES * STRIDE);

  @Override
  public BufferRecycler acquirePooled() {
    int first = first();
    for (int i = 0; i < TRIES; i++) {
      int place = place(first + i);
      BufferRecycler found = places.getPlain(place);
      if (found != null && places.compareAndSet(place, found, null)) {
        return found;
      }
    }
    return new BufferRecycler();
  }

  @Override
  public void releasePooled(BufferRecycler buffers) {
    int first = first();
    for (int i = 0; i < TRIES; i++) {
      int place = place(first + i);
      if (places.getPlain(place) == null && places.compareAndSet(place, null, buffers)) {
        return;
      }
    }
  }

  private static int first() {
    long id = Thread.currentThread().getId() * 0x9E37_79B9_7F4A_7C15L;
    return (int) (id >>> 40);
  }

  private static int place(int i) {
    return (i & (PLACES - 1)) * STRIDE;
  }
}
