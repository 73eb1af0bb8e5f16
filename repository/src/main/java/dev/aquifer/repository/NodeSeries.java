package dev.aquifer.repository;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.repository.ReadDependencies.Found;
import dev.aquifer.tsquery.Backend;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesBuilder;
import java.util.HashSet;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Makes the time series of a node and ends them with it. Thread-safe. */
final class NodeSeries implements AutoCloseable {
  private final AquiferParts parts;
  private final Set<TimeSeries> open = new HashSet<>();
  private boolean closed;

  NodeSeries(AquiferParts parts) {
    this.parts = parts;
  }

  TimeSeries of(SeriesTable... tables) {
    return of(
        PostgresBackend.of(parts.database(), tables),
        builder -> {
          for (SeriesTable table : tables) {
            builder.tags(table.measurement(), tags(table));
          }
          return builder;
        });
  }

  TimeSeries of(Backend backend, UnaryOperator<TimeSeriesBuilder> settings) {
    TimeSeriesBuilder wired =
        TimeSeries.builder().backend(backend).caches(parts.caches()).observer(parts.observer());
    TimeSeries made = settings.apply(wired).build();
    if (kept(made)) {
      return made;
    }
    made.close();
    throw new AquiferException(
        "This Aquifer is closed, so no time series can be made of it. Make them while it is open.");
  }

  private synchronized boolean kept(TimeSeries made) {
    return !closed && open.add(made);
  }

  /** Of all tables whose writes may change what is read. */
  private Tag[] tags(SeriesTable table) {
    Found found = ReadDependencies.of(parts.database(), Set.of(table.table()));
    if (!found.callingView().isEmpty()) {
      throw new ConfigurationException(
          "The measurement %s is read from the view %s, which calls a function of the application; what that reads is not known. Read a table, or give timeSeries(backend, …) the tags that void it."
              .formatted(table.measurement(), found.callingView()));
    }
    return found.tags().toArray(Tag[]::new);
  }

  @Override
  public void close() {
    Set<TimeSeries> ended;
    synchronized (this) {
      closed = true;
      ended = Set.copyOf(open);
      open.clear();
    }
    ended.forEach(AquiferParts::closeQuietly);
  }
}
