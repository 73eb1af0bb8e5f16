package dev.aquifer.repository;

import dev.aquifer.AquiferException;
import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.CausalToken;
import dev.aquifer.Consistency;
import dev.aquifer.cache.Caches;
import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.spi.Observer;
import dev.aquifer.tsquery.Backend;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesBuilder;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jdbi.v3.core.Jdbi;

/**
 * One node of an application that reads through Aquifer: the router over its PostgreSQL nodes, the
 * caches over memory and Redis, and the repositories on top, wired so that a committed write voids
 * what depends on it.
 *
 * <pre>{@code
 * try (Aquifer aquifer = Aquifer.builder()
 *     .primary("jdbc:postgresql://db1/app").replica("jdbc:postgresql://db2/app")
 *     .redis("redis://cache:6379").meterRegistry(registry).build()) {
 *   Departures departures = aquifer.repository(Departures.class);
 *   Tenant.of("DFW").call(() -> departures.byId(42));
 * }
 * }</pre>
 *
 * <p>Make one a process and share it: thread-safe. {@link #close} ends its threads and connections,
 * in order, and may be called again.
 */
public final class Aquifer implements AutoCloseable {
  private static final Duration TOLD_WITHIN = Duration.ofSeconds(2);

  private final AquiferParts parts;
  private final Repositories repositories;
  private final NodeSeries series;
  private final AtomicBoolean closed = new AtomicBoolean();

  Aquifer(AquiferParts parts) {
    this.parts = parts;
    this.repositories = new Repositories(parts.database(), parts.caches());
    this.series = new NodeSeries(parts);
  }

  /** Settings of a node; only the primary is required. */
  public static AquiferBuilder builder() {
    return new AquiferBuilder();
  }

  /**
   * A repository: an implementation of the interface from its annotations. Its statements are
   * checked now; a call is then a look-up of what was checked. Asks the server's catalogue what the
   * cached statements depend on, once, so the tables must be there; after a change of schema, make
   * another {@code Aquifer}. Keep the result: it is thread-safe. An interface with cached methods
   * can be made a repository once.
   *
   * @throws dev.aquifer.ConfigurationException when an annotation is missing or contradicts
   *     another, or a statement is not confined to the tenant; the message names class and method
   * @throws AquiferException when this is closed, or the catalogue cannot be asked
   */
  public <T> T repository(Class<T> type) {
    if (closed.get()) {
      throw new AquiferException(
          "This Aquifer is closed, so no repository %s can be made of it. Make repositories while it is open."
              .formatted(type.getName()));
    }
    return repositories.create(type);
  }

  /** The router, as a data source, for whatever else needs connections. */
  public ReplicaSet database() {
    return parts.database();
  }

  /** The caches, for what annotations cannot say. */
  public Caches caches() {
    return parts.caches();
  }

  /**
   * The Jdbi that the repositories run on, for statements that an interface cannot hold. Its reads
   * are not cached.
   */
  public Jdbi jdbi() {
    return repositories.jdbi();
  }

  /**
   * Time series read from tables or views of this node's database, replicas included, and kept in
   * its caches. A transaction that goes through {@link #database} voids all windows of a
   * measurement when it writes a table that those may be read from, here and on all nodes; the
   * server's catalogue is asked now which these are. It ends with this.
   *
   * @throws dev.aquifer.ConfigurationException when a view calls a function of the application, so
   *     that what it reads is not known
   * @throws AquiferException when this is closed, or the catalogue cannot be asked
   */
  public TimeSeries timeSeries(SeriesTable... tables) {
    return series.of(tables);
  }

  /**
   * Time series from any backend: their windows are void on all nodes at once, and they are counted
   * with the rest. Both end with this.
   *
   * @param settings changes what is built; its caches and observer are set already
   * @throws dev.aquifer.ConfigurationException when settings contradict each other
   * @throws AquiferException when this is closed
   */
  public TimeSeries timeSeries(Backend backend, UnaryOperator<TimeSeriesBuilder> settings) {
    return series.of(backend, settings);
  }

  /** {@link #timeSeries(Backend, UnaryOperator)} with all settings by default. */
  public TimeSeries timeSeries(Backend backend) {
    return series.of(backend, UnaryOperator.identity());
  }

  /**
   * What the parts of this node tell, its meters among them: for what is made beside it and is to
   * be counted with the rest.
   */
  public Observer observer() {
    return parts.observer();
  }

  /** The causal sessions of this node. */
  public CausalSessions sessions() {
    return parts.sessions();
  }

  /**
   * What the current session has written, for a reader on another node. Costs one round trip to the
   * primary if the position of the session's last write is not known yet, else none.
   *
   * @throws dev.aquifer.UnavailableException when the primary does not answer within its limit
   */
  public CausalToken token() {
    CausalSession session = parts.sessions().current();
    parts.caches().demandVoids(session, TOLD_WITHIN);
    return parts.database().token(session);
  }

  /** From now on the current session sees at least what the token's writer had written. */
  public void accept(CausalToken token) {
    parts.sessions().current().accept(token);
  }

  /**
   * Runs the body; its database reads, on this thread, are as fresh as asked.
   *
   * @throws Exception what the body throws, unchanged
   */
  public <T> T reading(Consistency consistency, Callable<T> body) throws Exception {
    return parts.database().read(consistency, body);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      series.close();
      parts.close();
    }
  }
}
