package dev.aquifer.examples;

import dev.aquifer.examples.FlightData.Airport;
import dev.aquifer.examples.Users.Service;
import dev.aquifer.metrics.MetricsPage;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.testkit.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A departures service of two nodes, under load and faults, on real flights and real servers.
 * Prints what answered each read and how fast, counts stale and failed reads, and ends with exit
 * code 0 only if every check holds.
 */
public final class MainJob implements AutoCloseable {
  private static final Duration ENDING = Duration.ofSeconds(20);
  private static final int CONNECTIONS = Runtime.getRuntime().availableProcessors() + 1;
  private static final Duration REMOTE_TIMEOUT = Duration.ofSeconds(1);
  private static final long REPLICA_OUT_MILLIS = 2_000;

  private final Options options;
  private final PrintStream out;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final CountDownLatch ended = new CountDownLatch(1);

  private MainJob(Options options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  /**
   * Runs the job. Exit code 0: every check held; 1: one did not, or the job could not run. See
   * {@code --help}.
   */
  public static void main(String[] arguments) {
    if (List.of(arguments).contains("--help")) {
      System.out.println(Options.USAGE);
      return;
    }
    System.exit(run(System.out, arguments));
  }

  static int run(PrintStream out, String... arguments) {
    try {
      MainJob job = new MainJob(Options.parse(arguments), out);
      Thread hook = new Thread(job::end, "main-job-end");
      Runtime.getRuntime().addShutdownHook(hook);
      try (job) {
        return job.run();
      } finally {
        job.ended.countDown();
        removed(hook);
      }
    } catch (Exception e) {
      out.printf("The job could not run: %s%n", e.getMessage());
      return 1;
    }
  }

  private static void removed(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending already, and the hook is what ends it.
      Thread.currentThread().interrupt();
    }
  }

  private int run() throws Exception {
    Servers servers = opened(Servers.start(out));
    FlightData.load(servers.database().dataSource(), out);
    Collection<Airport> airports = FlightData.airports(servers.database().dataSource());
    servers.letOneStandbyLag();

    Answers answers = new Answers();
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    List<Service> services =
        List.of(
            service("node-1", servers, answers, registry),
            service("node-2", servers, answers, registry));
    Users users = new Users(services, answers, airports);
    Summary summary = new Summary(answers, users, versions(servers));

    load(servers, answers, users, summary);
    judge(answers, users, summary);
    for (Dashboard.Outcome outcome : Dashboard.run(servers, services.get(0), out)) {
      summary.dashboard(outcome);
    }
    summary.print(out);
    summary.write(options.result());
    out.printf("%nWritten to %s%n", options.result());
    if (options.serve()) {
      serve(registry, new Users(services, answers, airports));
    }
    return summary.passed() ? 0 : 1;
  }

  private Service service(
      String name, Servers servers, Answers answers, SimpleMeterRegistry registry) {
    Aquifer aquifer =
        opened(
            Aquifer.builder()
                .primary(servers.database().url())
                .replicas(servers.database().standbyUrls())
                .credentials(servers.database().user(), servers.database().password())
                .redis(servers.redis().uri().toString())
                .meterRegistry(registry, metrics -> metrics.tag("instance", name))
                .observer(answers)
                .positionGate(options.gate())
                // What a server does well at is about twice its cores; two nodes share it.
                .database(nodes -> nodes.pool(pool -> pool.maximumSize(CONNECTIONS)))
                // Servers, users and nodes share this machine: Redis may be slow for want of a
                // core.
                .caches(caches -> caches.remoteTimeout(REMOTE_TIMEOUT))
                .build());
    return new Service(aquifer, aquifer.repository(Departures.class));
  }

  /** The users work; in mid-load a standby is killed, the hard way. */
  private void load(Servers servers, Answers answers, Users users, Summary summary)
      throws InterruptedException {
    out.printf("%n%d users at work for %d s …%n", options.users(), options.load().toSeconds());
    long half = options.load().toNanos() / 2;
    users.start(options.users(), options.load().dividedBy(4));
    await(half);
    long killed = System.nanoTime();
    servers.postgres().standby(0).kill();
    out.println("Standby 1 was killed (kill -9)");
    await(half);
    summary.check(
        "users ended",
        users.stop(ENDING),
        "%,d reads, %,d writes".formatted(users.reads(), users.writes()));
    PostgresNode gone = servers.postgres().standby(0);
    String name = "%s:%d/%s".formatted(gone.host(), gone.port(), servers.database().name());
    long used = answers.lastUsed(name, killed);
    long millis = Math.max(0, TimeUnit.NANOSECONDS.toMillis(used - killed));
    summary.replicaOut(millis);
    summary.check(
        "killed replica out of use",
        millis <= REPLICA_OUT_MILLIS,
        "last used %,d ms after the kill, limit %,d ms".formatted(millis, REPLICA_OUT_MILLIS));
  }

  private static void judge(Answers answers, Users users, Summary summary) {
    summary.check(
        "stale reads",
        users.staleReads() == 0,
        "%,d of %,d reads after a write".formatted(users.staleReads(), users.writes()));
    summary.check(
        "failed reads",
        users.failedReads() == 0,
        "%,d of %,d".formatted(users.failedReads(), users.reads()));
    summary.check(
        "failed writes",
        users.failedWrites() == 0,
        "%,d of %,d".formatted(users.failedWrites(), users.writes()));
    summary.check(
        "answers explained",
        answers.unexplained() == 0,
        "%,d reads without a known source".formatted(answers.unexplained()));
    for (Answers.From from : Answers.From.values()) {
      long count = answers.latency(from).getTotalCount();
      summary.check("answers by " + from, count > 0, "%,d".formatted(count));
    }
  }

  private static Map<String, String> versions(Servers servers) throws java.sql.SQLException {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("java", System.getProperty("java.version", "unknown"));
    versions.put("postgresql", servers.version());
    versions.put("redis", servers.redis().version());
    return versions;
  }

  private void serve(SimpleMeterRegistry registry, Users users) throws Exception {
    MetricsPage page = opened(MetricsPage.of(registry));
    out.printf("%nThe metrics page: %s%nA few users stay at work. Ctrl-C ends it.%n", page.url());
    users.start(Math.min(10, options.users()), Duration.ZERO);
    ended.await();
  }

  /** Waits, unless the job is ended meanwhile. */
  private void await(long nanos) throws InterruptedException {
    if (ended.await(nanos, TimeUnit.NANOSECONDS)) {
      throw new InterruptedException("the job was ended");
    }
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.push(resource);
    return resource;
  }

  /** On Ctrl-C: lets {@link #run} come to its end, in its own order, before the JVM goes. */
  private void end() {
    ended.countDown();
    close();
  }

  @Override
  public synchronized void close() {
    while (!open.isEmpty()) {
      AutoCloseable resource = open.pop();
      try {
        resource.close();
      } catch (Exception e) {
        out.printf("Could not be closed: %s (%s)%n", resource, e.getMessage());
      }
    }
  }
}
