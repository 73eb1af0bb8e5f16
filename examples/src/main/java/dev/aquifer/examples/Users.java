package dev.aquifer.examples;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Tenant;
import dev.aquifer.examples.FlightData.Airport;
import dev.aquifer.repository.Aquifer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Users of the service: threads that read as people at an airport do, and now and then note a
 * delay.
 *
 * <p>A user stays with one airport and mostly with its day of the moment; every request goes to
 * either node. After a write the user's token goes to the other node and the flight is read there:
 * seeing the old delay is a stale read. No two users write the same flight, so what must be seen is
 * known exactly.
 */
final class Users {
  private static final Logger log = LoggerFactory.getLogger(Users.class);
  private static final int WRITES_PERCENT = 2;
  private static final int SAME_DAY_PERCENT = 85;
  private static final long THINKING = TimeUnit.MILLISECONDS.toNanos(80);

  private final List<Service> services;
  private final Answers answers;
  private final List<Airport> seats;
  private final AtomicBoolean stop = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();
  private final LongAdder reads = new LongAdder();
  private final LongAdder failedReads = new LongAdder();
  private final LongAdder writes = new LongAdder();
  private final LongAdder failedWrites = new LongAdder();
  private final LongAdder staleReads = new LongAdder();
  private final Map<String, Integer> failures = new ConcurrentHashMap<>();
  private final AtomicInteger delay = new AtomicInteger(1_000_000);

  /**
   * A node of the service.
   *
   * @param aquifer the library
   * @param departures its repository
   */
  record Service(Aquifer aquifer, Departures departures) {}

  /**
   * A user's place.
   *
   * @param airport where
   * @param rank among the users there, from 0
   * @param peers how many users are there
   * @param seed of the user's choices
   */
  private record Seat(Airport airport, int rank, int peers, int seed) {
    /**
     * Every peers-th flight from the rank-th on is this user's alone to write; -1 if there is none.
     */
    long own(Random random) {
      int size = airport.ids().size();
      return rank >= size
          ? -1
          : airport.ids().get(rank + peers * random.nextInt((size - rank + peers - 1) / peers));
    }
  }

  Users(List<Service> services, Answers answers, Collection<Airport> airports) {
    this.services = services;
    this.answers = answers;
    this.seats = new ArrayList<>();
    airports.forEach(airport -> airport.ids().forEach(id -> seats.add(airport)));
  }

  /**
   * Starts this many, spread over the airports as the flights are. They come one by one, within a
   * time: nodes that have just started run slowly for a while.
   */
  void start(int users, Duration within) {
    List<Airport> taken = new ArrayList<>();
    for (int i = 0; i < users; i++) {
      taken.add(seats.get((int) ((i + 0.5) / users * seats.size())));
    }
    for (int i = 0; i < users; i++) {
      Airport airport = taken.get(i);
      Seat seat =
          new Seat(airport, i - taken.indexOf(airport), Collections.frequency(taken, airport), i);
      long comes = within.toNanos() / users * i;
      Thread thread = new Thread(() -> live(seat, comes), "user-" + i);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  /** Lets every user finish its request, and waits for them, at most this long in all. */
  boolean stop(Duration limit) throws InterruptedException {
    stop.set(true);
    long deadline = System.nanoTime() + limit.toNanos();
    for (Thread thread : threads) {
      thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
    }
    return threads.stream().noneMatch(Thread::isAlive);
  }

  private void live(Seat seat, long comes) {
    Random random = new Random(seat.seed());
    Tenant tenant = Tenant.of(seat.airport().origin());
    LockSupport.parkNanos(comes);
    while (!stop.get()) {
      long asked = System.nanoTime();
      tenant.run(() -> request(seat, random));
      // Who waited long takes longer: a machine that can do no more is not asked for more.
      long thinking = Math.max(THINKING, 2 * (System.nanoTime() - asked));
      LockSupport.parkNanos((long) (thinking * (0.5 + random.nextDouble())));
    }
  }

  private void request(Seat seat, Random random) {
    int node = random.nextInt(services.size());
    long own = random.nextInt(100) < WRITES_PERCENT ? seat.own(random) : -1;
    if (own >= 0) {
      write(own, node);
    } else {
      read(seat.airport(), services.get(node).departures(), random);
    }
  }

  private void read(Airport airport, Departures departures, Random random) {
    int today = Math.min(7, airport.days().size() - 1);
    int day =
        random.nextInt(100) < SAME_DAY_PERCENT ? today : random.nextInt(airport.days().size());
    int choice = random.nextInt(10);
    timed(
        () -> {
          if (choice < 6) {
            return departures.byId(flight(airport, day, random)).orElseThrow();
          }
          return choice < 9 ? departures.board(airport.days().get(day)) : departures.delays();
        });
  }

  /**
   * Flights are in order of departure, as days are: the day's part of the list holds its flights,
   * or their neighbours.
   */
  private static long flight(Airport airport, int day, Random random) {
    int size = airport.ids().size();
    int from = (int) ((long) size * day / airport.days().size());
    int to = Math.max(from + 1, (int) ((long) size * (day + 1) / airport.days().size()));
    return airport.ids().get(from + random.nextInt(to - from));
  }

  private void write(long id, int node) {
    int minutes = delay.incrementAndGet();
    Service writer = services.get(node);
    Service reader = services.get((node + 1) % services.size());
    CausalSession session = writer.aquifer().sessions().open();
    String token;
    try {
      token =
          writer
              .aquifer()
              .sessions()
              .call(
                  session,
                  () -> {
                    writer.departures().delay(id, minutes);
                    return writer.aquifer().token().toString();
                  });
      writes.increment();
    } catch (Exception e) {
      failed("write", e, failedWrites);
      return;
    }
    CausalSession elsewhere = reader.aquifer().sessions().open();
    elsewhere.accept(CausalToken.parse(token));
    timed(
        () ->
            reader
                .aquifer()
                .sessions()
                .call(
                    elsewhere,
                    () -> {
                      if (reader.departures().byId(id).orElseThrow().delayMinutes() != minutes) {
                        staleReads.increment();
                      }
                      return id;
                    }));
  }

  private void timed(Callable<?> read) {
    long start = System.nanoTime();
    try {
      Object answer = read.call();
      answers.read(System.nanoTime() - start);
      reads.increment();
      if (answer == null) {
        throw new IllegalStateException("A repository answered null");
      }
    } catch (Exception e) {
      failed("read", e, failedReads);
    }
  }

  private void failed(String what, Exception e, LongAdder counter) {
    if (stop.get() && Thread.currentThread().isInterrupted()) {
      return;
    }
    counter.increment();
    String kind = what + ": " + e;
    if (failures.merge(kind.substring(0, Math.min(200, kind.length())), 1, Integer::sum) == 1) {
      log.debug("A {} failed", what, e);
    }
  }

  long reads() {
    return reads.sum();
  }

  long failedReads() {
    return failedReads.sum();
  }

  long writes() {
    return writes.sum();
  }

  long failedWrites() {
    return failedWrites.sum();
  }

  long staleReads() {
    return staleReads.sum();
  }

  /** Kinds of failures, with how often each was seen. */
  Map<String, Integer> failures() {
    return Map.copyOf(failures);
  }
}
