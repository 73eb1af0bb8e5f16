package dev.aquifer.tsquery;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts what a real backend is asked for. */
final class CountingBackend implements Backend {
  private final Backend backend;
  private final AtomicInteger requests = new AtomicInteger();
  private final ConcurrentHashMap<Long, AtomicInteger> whole = new ConcurrentHashMap<>();

  CountingBackend(Backend backend) {
    this.backend = backend;
  }

  int requests() {
    return requests.get();
  }

  /** How often each whole window was asked for, by its start in nanoseconds. */
  ConcurrentHashMap<Long, AtomicInteger> whole() {
    return whole;
  }

  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public void check(TimeSeriesQuery query) {
    backend.check(query);
  }

  @Override
  public List<StatementText> render(FetchRequest request) {
    return backend.render(request);
  }

  @Override
  public void fetch(FetchRequest request, RowSink sink) {
    requests.incrementAndGet();
    count(request);
    backend.fetch(request, sink);
  }

  @Override
  public void fetchAll(List<FetchRequest> all, BatchSink sink) {
    requests.incrementAndGet();
    all.forEach(this::count);
    backend.fetchAll(all, sink);
  }

  @Override
  public int queriesInRequest() {
    return backend.queriesInRequest();
  }

  @Override
  public int rangesInRequest() {
    return backend.rangesInRequest();
  }

  @Override
  public void close() {
    backend.close();
  }

  private void count(FetchRequest request) {
    long every = request.query().window().every().nanos();
    for (Stretch stretch : request.stretches()) {
      TimeRange range = stretch.range();
      long first = -Math.floorDiv(-range.startNanos(), every) * every;
      for (long start = first; start + every <= range.stopNanos(); start += every) {
        whole.computeIfAbsent(start, key -> new AtomicInteger()).incrementAndGet();
      }
    }
  }
}
