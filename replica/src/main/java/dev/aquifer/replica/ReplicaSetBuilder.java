package dev.aquifer.replica;

import dev.aquifer.CausalSessions;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Consistency;
import dev.aquifer.UnavailableException;
import dev.aquifer.pool.PoolSettings;
import dev.aquifer.pool.ServerBudget;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer;
import dev.aquifer.sql.FunctionCatalog;
import dev.aquifer.sql.SqlAnalyzer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Settings of a {@link ReplicaSet}. Not thread-safe. */
public final class ReplicaSetBuilder {
  private static final Duration DEFAULT_CATALOG_EVERY = Duration.ofSeconds(10);

  private record Given(String url, double weight, boolean primary) {}

  private final List<Given> nodes = new ArrayList<>();
  private @Nullable String user;
  private @Nullable String password;
  private Consumer<PoolSettings.Builder> pool = settings -> {};
  private @Nullable Supplier<ServerBudget> budget;
  private Consistency consistency = Consistency.session();
  private Duration maxLag = Duration.ofSeconds(10);
  private Duration sampleEvery = Duration.ofMillis(50);
  private Duration probeTimeout = Duration.ofMillis(250);
  private @Nullable Duration primaryTimeout;
  private Duration startupTimeout = Duration.ofSeconds(10);
  private Duration replicaWait = Duration.ofMillis(500);
  private boolean positionGate = true;
  private int primaryReads;
  private @Nullable NodeDirectory directory;
  private Duration directoryEvery = Duration.ofSeconds(30);
  private CausalSessions sessions = new CausalSessions();
  private @Nullable SqlAnalyzer analyzer;
  private @Nullable Duration catalogEvery;
  private final List<Observer> observers = new ArrayList<>();
  private final List<CommitListener> listeners = new ArrayList<>();

  ReplicaSetBuilder() {}

  /** The node expected to be the primary; which one is, the nodes themselves tell. Required. */
  public ReplicaSetBuilder primary(String url) {
    nodes.add(new Given(url, 1, true));
    return this;
  }

  /** A replica of weight 1. */
  public ReplicaSetBuilder replica(String url) {
    return replica(url, 1);
  }

  /**
   * A replica.
   *
   * @param weight its share of reads in proportion to those of others, above 0
   */
  public ReplicaSetBuilder replica(String url, double weight) {
    nodes.add(new Given(url, weight, false));
    return this;
  }

  /** User and password on all nodes; without, the URLs must hold them. */
  public ReplicaSetBuilder credentials(String user, @Nullable String password) {
    this.user = user;
    this.password = password;
    return this;
  }

  /** Settings of every node's pool; name, URL, credentials and observer are set already. */
  public ReplicaSetBuilder pool(Consumer<PoolSettings.Builder> settings) {
    this.pool = settings;
    return this;
  }

  /**
   * The budget of each node's server: called once for each, since every server has connections of
   * its own. For one budget over all nodes, give one to {@link #pool}. Default: none.
   */
  public ReplicaSetBuilder budgetPerServer(Supplier<ServerBudget> budget) {
    this.budget = budget;
    return this;
  }

  /**
   * How fresh reads are unless {@link ReplicaSet#read} says otherwise; the session's by default.
   */
  public ReplicaSetBuilder consistency(Consistency consistency) {
    this.consistency = consistency;
    return this;
  }

  /** A replica further behind gets no reads; 10 s by default, above zero. */
  public ReplicaSetBuilder maxLag(Duration lag) {
    this.maxLag = lag;
    return this;
  }

  /** How often each node is asked for its position; 50 ms by default, 5 ms or more. */
  public ReplicaSetBuilder sampleEvery(Duration interval) {
    this.sampleEvery = interval;
    return this;
  }

  /** How long a node may take to answer a probe; 250 ms by default, 20 ms or more. */
  public ReplicaSetBuilder probeTimeout(Duration limit) {
    this.probeTimeout = limit;
    return this;
  }

  /**
   * How long the primary may leave probes unanswered before its connections are cut off: then its
   * transactions fail with 08006, or 08007 when they were being committed, instead of waiting for a
   * server that may be halted. Six times {@code probeTimeout} by default, four times or more. It
   * gets nothing new from the first missed probe on.
   */
  public ReplicaSetBuilder primaryTimeout(Duration limit) {
    this.primaryTimeout = limit;
    return this;
  }

  /** How long {@link #build} waits for a primary; 10 s by default, above zero. */
  public ReplicaSetBuilder startupTimeout(Duration limit) {
    this.startupTimeout = limit;
    return this;
  }

  /**
   * How long a read waits for a connection of a replica before another node is tried; 500 ms by
   * default, 250 ms or more, at most the pool's connectionTimeout.
   */
  public ReplicaSetBuilder replicaWait(Duration limit) {
    this.replicaWait = limit;
    return this;
  }

  /**
   * Whether replicas must have replayed what the reader demands; true by default. Without, they
   * answer however far behind they are, up to {@link #maxLag}, also with less than the reader wrote
   * itself: for measuring what the gate is worth.
   */
  public ReplicaSetBuilder positionGate(boolean gate) {
    this.positionGate = gate;
    return this;
  }

  /**
   * How many reads may run on the primary at a time because replicas are out of use: half as many
   * as it may have connections by default, so that writes find some. More wait, as long as they
   * would for a connection. Not counted where the set has no replicas.
   *
   * @param most 1 or more
   */
  public ReplicaSetBuilder primaryReads(int most) {
    if (most < 1) {
      throw new ConfigurationException("primaryReads is %d: give 1 or more".formatted(most));
    }
    this.primaryReads = most;
    return this;
  }

  /**
   * Says which replicas there are, beside those that were given: asked at the start, which does not
   * wait for it, and then every 30 s. A replica that it no longer names, twice in a row, is drained
   * and removed.
   */
  public ReplicaSetBuilder directory(NodeDirectory directory) {
    this.directory = directory;
    return this;
  }

  /** How often the directory is asked; 30 s by default, 100 ms or more. */
  public ReplicaSetBuilder directoryEvery(Duration interval) {
    this.directoryEvery = interval;
    return this;
  }

  /** The causal sessions of this node, shared with its caches; some of its own by default. */
  public ReplicaSetBuilder sessions(CausalSessions sessions) {
    this.sessions = sessions;
    return this;
  }

  /**
   * Tells statements apart, by a {@link FunctionCatalog} of your own; by default the set reads the
   * server's. Not together with {@link #catalogEvery}.
   */
  public ReplicaSetBuilder analyzer(SqlAnalyzer analyzer) {
    this.analyzer = analyzer;
    return this;
  }

  /**
   * How often the server's catalogue of functions, views, policies, operators and types is looked
   * at for changes; 10 s by default, 100 ms or more, or zero: then it is not read, and statements
   * are told apart by what PostgreSQL itself ships. It is also the longest time for which a
   * statement may go to a replica after another client has made a function that it calls volatile.
   */
  public ReplicaSetBuilder catalogEvery(Duration interval) {
    this.catalogEvery = interval;
    return this;
  }

  /** Told of routes, lag, states and roles. May be given several times. */
  public ReplicaSetBuilder observer(Observer observer) {
    observers.add(observer);
    return this;
  }

  /** Told of what transactions write. May be given several times; called in that order. */
  public ReplicaSetBuilder commitListener(CommitListener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * Connects, and waits until a primary answers. Replicas that cannot be reached are used as soon
   * as they can.
   *
   * @throws ConfigurationException when settings contradict each other, a node refuses user,
   *     password or database, or nodes belong to different clusters
   * @throws UnavailableException when no primary answers within the limit
   */
  public ReplicaSet build() {
    return ReplicaSet.started(new ReplicaSet(settings()));
  }

  private ReplicaSetSettings settings() {
    if (nodes.stream().filter(Given::primary).count() != 1) {
      throw new ConfigurationException(
          "A replica set needs exactly one primary(url); %d were given. Which node is the primary later, the nodes tell."
              .formatted(nodes.stream().filter(Given::primary).count()));
    }
    if (nodes.size() > ReplicaSet.MAX_NODES) {
      throw new ConfigurationException(
          "A replica set has at most %d nodes; %d were given"
              .formatted(ReplicaSet.MAX_NODES, nodes.size()));
    }
    atLeast("maxLag", maxLag, Duration.ofNanos(1));
    atLeast("sampleEvery", sampleEvery, Duration.ofMillis(5));
    atLeast("probeTimeout", probeTimeout, Duration.ofMillis(20));
    Duration silence = primaryTimeout == null ? probeTimeout.multipliedBy(6) : primaryTimeout;
    if (silence.compareTo(probeTimeout.multipliedBy(4)) < 0) {
      throw new ConfigurationException(
          "primaryTimeout %s is less than four times probeTimeout %s, which a halted primary takes to be told from a slow one: raise primaryTimeout or lower probeTimeout"
              .formatted(silence, probeTimeout));
    }
    atLeast("startupTimeout", startupTimeout, Duration.ofNanos(1));
    atLeast("replicaWait", replicaWait, Duration.ofMillis(250));
    if (analyzer != null && catalogEvery != null) {
      throw new ConfigurationException(
          "analyzer and catalogEvery (%s) were both given: an analyzer has a catalogue of its own. Give one of them."
              .formatted(catalogEvery));
    }
    Duration readCatalog = catalogEvery == null ? DEFAULT_CATALOG_EVERY : catalogEvery;
    if (!readCatalog.isZero()) {
      atLeast("catalogEvery", readCatalog, Duration.ofMillis(100));
    }
    atLeast("directoryEvery", directoryEvery, Duration.ofMillis(100));
    ReplicaSetSettings.Maker maker = maker();
    List<ReplicaSetSettings.NodeSettings> all = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Given given : nodes) {
      ReplicaSetSettings.NodeSettings made =
          maker.make(given.url(), given.weight(), given.primary());
      String name = made.pool().target();
      if (!names.add(name)) {
        throw new ConfigurationException("Node %s was given twice; give each once".formatted(name));
      }
      all.add(made);
    }
    checkBudgets(all);
    return new ReplicaSetSettings(
        List.copyOf(all),
        consistency,
        maxLag,
        sampleEvery,
        probeTimeout,
        silence,
        startupTimeout,
        replicaWait,
        positionGate,
        sessions,
        analyzer,
        analyzer == null ? readCatalog : Duration.ZERO,
        Observer.of(observers),
        List.copyOf(listeners),
        primaryReads,
        directory,
        directoryEvery,
        maker);
  }

  /** Of what is set now: the builder may go on to make another set. */
  private ReplicaSetSettings.Maker maker() {
    String login = user;
    String secret = password;
    Consumer<PoolSettings.Builder> more = pool;
    Supplier<ServerBudget> ofServer = budget;
    Observer observer = Observer.of(observers);
    Login changed = new Login();
    return (url, weight, primary) -> {
      PoolSettings.Builder settings = PoolSettings.builder().url(url).observer(observer);
      if (login != null) {
        settings.credentials(login, secret);
      }
      more.accept(settings);
      changed.apply(settings);
      settings.startupTimeout(Duration.ZERO);
      return new ReplicaSetSettings.NodeSettings(
          budgeted(settings, ofServer), Members.checked(weight), primary, changed);
    };
  }

  private static PoolSettings budgeted(
      PoolSettings.Builder settings, @Nullable Supplier<ServerBudget> ofServer) {
    if (ofServer == null) {
      return settings.build();
    }
    if (settings.build().budget() != null) {
      throw new ConfigurationException(
          "budgetPerServer(…) and the budget(…) of pool(…) exclude each other: the one is of each server, the other of all nodes together");
    }
    return settings.budget(ofServer.get()).build();
  }

  /** A discovered budget is told of by one server. */
  private static void checkBudgets(List<ReplicaSetSettings.NodeSettings> nodes) {
    Set<ServerBudget> discovered = new HashSet<>();
    for (ReplicaSetSettings.NodeSettings node : nodes) {
      ServerBudget of = node.pool().budget();
      if (of != null && of.isDiscovered() && !discovered.add(of)) {
        throw new ConfigurationException(
            "budget of pool(…) is a discovered one and was given to several nodes, such as %s: use budgetPerServer(() -> ServerBudget.discovered(%d))"
                .formatted(node.pool().target(), of.connections()));
      }
    }
  }

  private static void atLeast(String setting, Duration value, Duration least) {
    if (value.compareTo(least) < 0) {
      throw new ConfigurationException(
          "%s is %s: give %s or more".formatted(setting, value, least));
    }
  }
}
