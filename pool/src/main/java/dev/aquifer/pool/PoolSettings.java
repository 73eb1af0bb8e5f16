package dev.aquifer.pool;

import dev.aquifer.ConfigurationException;
import dev.aquifer.spi.Observer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Settings of one node's pool. Made by {@link #builder()}; immutable.
 *
 * @param name names the pool in threads, logs and metrics; unique in the process
 * @param url JDBC URL of the node, such as {@code jdbc:postgresql://db1:5432/app}
 * @param user the database user, or null to take it from the URL
 * @param password the user's password, or null; shown nowhere
 * @param minimumIdle connections kept open while idle, 0 or more
 * @param maximumSize most connections open, 1 or more, at most what the budget leaves this process
 * @param adaptive whether the size follows need and what the server bears, between the two above;
 *     else it is the maximum
 * @param budget what the pool shares with others on the same server, or null for none
 * @param connectionTimeout how long a caller waits for a connection, 250 ms or more
 * @param validationTimeout how long the test of an idle connection may take, 250 ms or more
 * @param idleTimeout after which connections that nobody needed are closed, 10 s or more
 * @param maxLifetime of a connection, 30 s or more
 * @param leakThreshold after which a connection not given back is reported with the stack of who
 *     took it; zero reports none
 * @param statementTimeout after which the server cancels a statement; zero sets no limit
 * @param socketTimeout after which a silent server fails the statement; zero sets no limit
 * @param connectTimeout how long opening one connection may take, 1 s or more
 * @param startupTimeout how long {@link AdaptivePool#open} tries to reach the node; zero does not
 *     try
 * @param warmUp how long {@link AdaptivePool#open} waits for {@code minimumIdle} connections to be
 *     open; zero does not wait
 * @param observer told of decisions, leaks, and whether the server can be reached
 * @param driverProperties further properties of the driver; these win over what the pool sets
 * @param metricRegistry a registry that HikariCP knows, such as Micrometer's, or its {@code
 *     MetricsTrackerFactory}; null binds no metrics
 */
public record PoolSettings(
    String name,
    String url,
    @Nullable String user,
    @Nullable String password,
    int minimumIdle,
    int maximumSize,
    boolean adaptive,
    @Nullable ServerBudget budget,
    Duration connectionTimeout,
    Duration validationTimeout,
    Duration idleTimeout,
    Duration maxLifetime,
    Duration leakThreshold,
    Duration statementTimeout,
    Duration socketTimeout,
    Duration connectTimeout,
    Duration startupTimeout,
    Duration warmUp,
    Observer observer,
    Map<String, String> driverProperties,
    @Nullable Object metricRegistry) {

  /** What most applications do with, on one server. */
  static final int USUAL_SIZE = 10;

  /** Checks every value, and those that bound each other. */
  public PoolSettings {
    if (!url.startsWith("jdbc:")) {
      throw new ConfigurationException(
          "url '%s' is not a JDBC URL; give one such as jdbc:postgresql://host:5432/database"
              .formatted(withoutQuery(url)));
    }
    if (maximumSize < 1 || minimumIdle < 0 || minimumIdle > maximumSize) {
      throw new ConfigurationException(
          "minimumIdle %d and maximumSize %d contradict: give 0 <= minimumIdle <= maximumSize, and a maximumSize of 1 or more"
              .formatted(minimumIdle, maximumSize));
    }
    atLeast("connectionTimeout", connectionTimeout, Duration.ofMillis(250));
    atLeast("validationTimeout", validationTimeout, Duration.ofMillis(250));
    atLeast("idleTimeout", idleTimeout, Duration.ofSeconds(10));
    atLeast("maxLifetime", maxLifetime, Duration.ofSeconds(30));
    atLeast("connectTimeout", connectTimeout, Duration.ofSeconds(1));
    if (!leakThreshold.isZero()) {
      atLeast("leakThreshold", leakThreshold, Duration.ofSeconds(2));
    }
    atLeast("statementTimeout", statementTimeout, Duration.ZERO);
    atLeast("socketTimeout", socketTimeout, Duration.ZERO);
    atLeast("startupTimeout", startupTimeout, Duration.ZERO);
    atLeast("warmUp", warmUp, Duration.ZERO);
    if (validationTimeout.compareTo(connectionTimeout) > 0) {
      throw new ConfigurationException(
          "validationTimeout %s is longer than connectionTimeout %s: a connection could not be tested in time"
              .formatted(validationTimeout, connectionTimeout));
    }
    if (!socketTimeout.isZero() && socketTimeout.compareTo(statementTimeout) < 0) {
      throw new ConfigurationException(
          "socketTimeout %s is shorter than statementTimeout %s: the connection would be lost before the server can cancel"
              .formatted(socketTimeout, statementTimeout));
    }
    driverProperties = Map.copyOf(driverProperties);
    checkBudget(budget, maximumSize);
    checkDriver(driverProperties, statementTimeout);
    if (budget != null && budget.isDiscovered()) {
      checkSessionName(url, driverProperties);
    }
  }

  private static void checkBudget(@Nullable ServerBudget budget, int maximumSize) {
    if (budget != null && maximumSize > budget.most()) {
      throw new ConfigurationException(
          "maximumSize %d is more than the budget leaves one process, %d: lower maximumSize or raise the budget"
              .formatted(maximumSize, budget.most()));
    }
  }

  private static void checkDriver(Map<String, String> properties, Duration statementTimeout) {
    if (!statementTimeout.isZero() && properties.containsKey("options")) {
      throw new ConfigurationException(
          "statementTimeout %s and driverProperty 'options' exclude each other: add -c statement_timeout=%d to 'options', and leave out statementTimeout"
              .formatted(statementTimeout, statementTimeout.toMillis()));
    }
  }

  /** A discovered budget is kept in the names of sessions, whoever else would give them. */
  private static void checkSessionName(String url, Map<String, String> properties) {
    String query = url.substring(withoutQuery(url).length());
    for (String parameter : query.split("[?&]", -1)) {
      checkSessionName("url parameter", parameter);
    }
    properties.forEach((name, value) -> checkSessionName("driverProperty", name + "=" + value));
  }

  private static void checkSessionName(String kind, String property) {
    boolean options = property.startsWith("options=") && property.contains("application_name");
    if (options || property.startsWith("ApplicationName=")) {
      throw new ConfigurationException(
          "budget is a discovered one, which names the sessions, and so does %s '%s': leave that out, or say how many processes there are with ServerBudget.of(connections, processes)"
              .formatted(kind, property));
    }
  }

  /** Settings with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** {@code host:port/database}, as the URL has it, without its parameters; for messages. */
  public String target() {
    String rest = withoutQuery(url);
    int slashes = rest.indexOf("//");
    return slashes < 0 ? rest : rest.substring(slashes + 2);
  }

  private static String withoutQuery(String url) {
    int query = url.indexOf('?');
    return query < 0 ? url : url.substring(0, query);
  }

  private static void atLeast(String setting, Duration value, Duration least) {
    if (value.compareTo(least) < 0) {
      throw new ConfigurationException(
          "%s is %s: give %s or more".formatted(setting, value, least));
    }
  }

  /** Without password and parameters. */
  @Override
  public String toString() {
    return "PoolSettings[%s, %s, user=%s, %d to %d connections]"
        .formatted(name, target(), user, minimumIdle, maximumSize);
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {
    private @Nullable String name;
    private @Nullable String url;
    private @Nullable String user;
    private @Nullable String password;
    private int minimumIdle = 1;
    private int maximumSize;
    private boolean adaptive = true;
    private @Nullable ServerBudget budget;
    private Duration connectionTimeout = Duration.ofSeconds(2);
    private Duration validationTimeout = Duration.ofMillis(500);
    private Duration idleTimeout = Duration.ofSeconds(20);
    private Duration maxLifetime = Duration.ofMinutes(30);
    private Duration leakThreshold = Duration.ZERO;
    private Duration statementTimeout = Duration.ZERO;
    private Duration socketTimeout = Duration.ZERO;
    private Duration connectTimeout = Duration.ofSeconds(2);
    private Duration startupTimeout = Duration.ofSeconds(5);
    private Duration warmUp = Duration.ZERO;
    private Observer observer = Observer.NONE;
    private boolean sized;
    private final Map<String, String> driverProperties = new TreeMap<>();
    private @Nullable Object metricRegistry;

    private Builder() {}

    /** Names the pool; {@code host:port/database} unless set. */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /** JDBC URL of the node; required. */
    public Builder url(String url) {
      this.url = url;
      return this;
    }

    /** User and password. */
    public Builder credentials(String user, @Nullable String password) {
      this.user = user;
      this.password = password;
      return this;
    }

    /** Connections kept open while idle; 1 by default. */
    public Builder minimumIdle(int minimumIdle) {
      this.minimumIdle = minimumIdle;
      return this;
    }

    /** Most connections open; 10 by default, or what the budget leaves this process. */
    public Builder maximumSize(int maximumSize) {
      this.maximumSize = maximumSize;
      this.minimumIdle = Math.min(minimumIdle, Math.max(0, maximumSize));
      this.sized = true;
      return this;
    }

    /**
     * Whether the size follows need and what the server bears; true by default. Without, it is
     * {@code maximumSize}.
     */
    public Builder adaptive(boolean adaptive) {
      this.adaptive = adaptive;
      return this;
    }

    /** What the pool shares with others, of this process and of others; none by default. */
    public Builder budget(@Nullable ServerBudget budget) {
      this.budget = budget;
      return this;
    }

    /** How long a caller waits for a connection; 2 s by default. */
    public Builder connectionTimeout(Duration limit) {
      this.connectionTimeout = limit;
      return this;
    }

    /** How long the test of an idle connection may take; 500 ms by default. */
    public Builder validationTimeout(Duration limit) {
      this.validationTimeout = limit;
      return this;
    }

    /** After which connections that nobody needed are closed; 20 s by default. */
    public Builder idleTimeout(Duration limit) {
      this.idleTimeout = limit;
      return this;
    }

    /** After which a connection is replaced; 30 min by default. */
    public Builder maxLifetime(Duration limit) {
      this.maxLifetime = limit;
      return this;
    }

    /** After which a connection not given back is reported; zero, the default, reports none. */
    public Builder leakThreshold(Duration limit) {
      this.leakThreshold = limit;
      return this;
    }

    /** After which the server cancels a statement; zero, the default, sets no limit. */
    public Builder statementTimeout(Duration limit) {
      this.statementTimeout = limit;
      return this;
    }

    /** After which a silent server fails the statement; zero, the default, sets no limit. */
    public Builder socketTimeout(Duration limit) {
      this.socketTimeout = limit;
      return this;
    }

    /** How long opening one connection may take; 2 s by default. */
    public Builder connectTimeout(Duration limit) {
      this.connectTimeout = limit;
      return this;
    }

    /** How long {@link AdaptivePool#open} tries to reach the node; 5 s by default. */
    public Builder startupTimeout(Duration limit) {
      this.startupTimeout = limit;
      return this;
    }

    /**
     * How long {@link AdaptivePool#open} waits for {@code minimumIdle} connections to be open, so
     * that the first callers find them; zero, the default, does not wait.
     */
    public Builder warmUp(Duration limit) {
      this.warmUp = limit;
      return this;
    }

    /** Told of decisions, leaks, and whether the server can be reached; nobody by default. */
    public Builder observer(Observer observer) {
      this.observer = observer;
      return this;
    }

    /** A property of the driver, which wins over what the pool would set. */
    public Builder driverProperty(String key, String value) {
      driverProperties.put(key, value);
      return this;
    }

    /** What HikariCP's own metrics go to: a registry it knows, or a tracker factory of its own. */
    public Builder metricRegistry(@Nullable Object registry) {
      this.metricRegistry = registry;
      return this;
    }

    /**
     * The settings.
     *
     * @throws ConfigurationException when a value is missing, out of range, or contradicts another
     */
    public PoolSettings build() {
      String node = url;
      if (node == null) {
        throw new ConfigurationException(
            "A pool needs a url, such as jdbc:postgresql://host:5432/database");
      }
      PoolSettings settings = of(node, name == null ? node : name);
      return name == null ? of(node, settings.target()) : settings;
    }

    private PoolSettings of(String node, String called) {
      int usual = budget == null ? USUAL_SIZE : budget.most();
      int most = sized ? maximumSize : usual;
      return new PoolSettings(
          called,
          node,
          user,
          password,
          minimumIdle,
          most,
          adaptive,
          budget,
          connectionTimeout,
          validationTimeout,
          idleTimeout,
          maxLifetime,
          leakThreshold,
          statementTimeout,
          socketTimeout,
          connectTimeout,
          startupTimeout,
          warmUp,
          Observer.of(List.of(observer)),
          driverProperties,
          metricRegistry);
    }
  }
}
