package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheHistoryWorld.Line;
import dev.aquifer.testkit.CacheHistoryWorld.Passed;
import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Row;
import dev.aquifer.testkit.CacheUnderTest.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/** One thread of a schedule: for each tenant it has a session on some node. */
final class CacheHistoryWorker {
  private static final int MOST_READS = 15;

  /** As often as they are used. */
  static final List<Scope.Kind> KINDS =
      List.of(
          Scope.Kind.KEY,
          Scope.Kind.KEY,
          Scope.Kind.KEY,
          Scope.Kind.KEY,
          Scope.Kind.KEY,
          Scope.Kind.KEYS,
          Scope.Kind.KEYS,
          Scope.Kind.GROUP,
          Scope.Kind.GROUP,
          Scope.Kind.GROUP,
          Scope.Kind.TABLE,
          Scope.Kind.TABLE,
          Scope.Kind.CACHE,
          Scope.Kind.TENANT,
          Scope.Kind.EVERYWHERE);

  private final CacheHistoryWorld world;
  private final SplittableRandom random;
  private final LongAdder done;
  private final Map<String, Line> lines = new HashMap<>();

  CacheHistoryWorker(CacheHistoryWorld world, SplittableRandom random, LongAdder done) {
    this.world = world;
    this.random = random;
    this.done = done;
  }

  Void run(int operations, CountDownLatch ended) throws Exception {
    try {
      for (int i = 0; i < operations; ) {
        int steps = step();
        done.add(steps);
        i += steps;
      }
      return null;
    } finally {
      ended.countDown();
    }
  }

  /** Returns how many operations it was. */
  private int step() throws Exception {
    List<String> tenants = world.tenants;
    String tenant =
        random.nextInt(100) < 85 || tenants.size() == world.busy()
            ? tenants.get(random.nextInt(world.busy()))
            : tenants.get(world.busy() + random.nextInt(tenants.size() - world.busy()));
    Line line = line(tenant);
    line.node().gate().pass();
    int dice = random.nextInt(1000);
    boolean busy = tenants.indexOf(tenant) < world.busy();
    // A quiet tenant is seldom written, but while others may miss it: nothing later brings it to
    // light then.
    boolean missed = !busy && world.disturbed;
    if (dice < (missed ? 400 : busy ? 740 : 980)) {
      int times = 1 + random.nextInt(MOST_READS);
      Place one = place(tenant);
      for (int i = 0; i < times; i++) {
        // The same again, for the most part: what was just voided and filled is in memory now.
        world.read(line, i % 3 == 2 ? place(tenant) : one);
      }
      return times;
    }
    if (missed && dice < 700) {
      write(line, tenant);
    } else if (dice < 780) {
      readInBackground(line, place(tenant));
    } else if (dice < 830) {
      readMany(line, tenant);
    } else if (dice < 850) {
      put(line, place(tenant));
    } else {
      write(line, tenant);
    }
    return 1;
  }

  /** The session, which now and then moves, or is a new one, or hears of others' work. */
  private Line line(String tenant) throws Exception {
    Line line = lines.get(tenant);
    int dice = random.nextInt(100);
    if (line == null || dice < 2 || !world.nodes.contains(line.node())) {
      line = world.open(node(), tenant, null);
      lines.put(tenant, line);
    } else if (dice < 6) {
      Passed passed = world.export(line);
      line = world.open(node(), tenant, passed);
      lines.put(tenant, line);
    } else if (dice < 16) {
      Passed passed = world.mail.get(tenant);
      if (passed != null) {
        world.accept(line, passed);
      }
    }
    return line;
  }

  private CacheHistoryNode node() {
    return world.nodes.get(random.nextInt(world.nodes.size()));
  }

  /** The smaller of two: some places are hot. */
  private Place place(String tenant) {
    List<Place> all = world.places(tenant);
    return all.get(Math.min(random.nextInt(all.size()), random.nextInt(all.size())));
  }

  private void readInBackground(Line line, Place place) {
    long begun = world.history.now();
    try {
      Row row = line.cache().getAsync(place, world.loader(line.node()));
      world.record(line, place, begun, row);
    } catch (Exception e) {
      line.history().failed(world.item(place), begun);
    }
  }

  private void readMany(Line line, String tenant) {
    List<Place> some = some(tenant);
    long begun = world.history.now();
    try {
      Map<Place, Row> rows = line.cache().getAll(some, world.loader(line.node()));
      some.forEach(place -> world.record(line, place, begun, rows.get(place)));
    } catch (Exception e) {
      some.forEach(place -> line.history().failed(world.item(place), begun));
    }
  }

  /** Some places of one cache. */
  private List<Place> some(String tenant) {
    String cache = place(tenant).cache();
    List<Place> all = world.places(tenant).stream().filter(p -> p.cache().equals(cache)).toList();
    Set<Place> some = new LinkedHashSet<>();
    for (int i = 1 + random.nextInt(5); i > 0; i--) {
      some.add(all.get(random.nextInt(all.size())));
    }
    return List.copyOf(some);
  }

  private void write(Line line, String tenant) {
    Scope.Kind kind = world.voids.get(random.nextInt(world.voids.size()));
    Place place = place(tenant);
    List<Place> named = kind == Scope.Kind.KEYS ? some(tenant) : List.of(place);
    boolean rows = kind == Scope.Kind.KEY || kind == Scope.Kind.KEYS;
    boolean remove = rows && random.nextInt(6) == 0;
    Scope scope = new Scope(kind, tenant, rows ? named : covered(kind, place));
    long begun = world.history.now();
    long version = commit(scope, rows ? named : List.of(), remove);
    boolean voided = false;
    try {
      line.node().gate().stumble();
      line.cache().invalidate(scope);
      voided = true;
    } catch (Exception e) {
      // Recorded below.
    }
    for (Place each : named) {
      HistoryChecker.Item item = world.item(kind, each);
      if (!voided) {
        line.history().unacknowledged(item, begun, version);
      } else if (remove) {
        line.history().remove(item, begun, version);
      } else {
        line.history().write(item, begun, version);
      }
    }
    told(line, tenant);
  }

  private long commit(Scope scope, List<Place> rows, boolean remove) {
    if (scope.kind() != Scope.Kind.EVERYWHERE) {
      return world.source.write(scope.tenant(), rows, remove);
    }
    List<ReentrantLock> all = new ArrayList<>();
    try {
      for (String tenant : world.tenants) {
        ReentrantLock lock = world.source.writing(tenant);
        lock.lock();
        all.add(lock);
      }
      return world.source.commit(rows, remove);
    } finally {
      all.forEach(ReentrantLock::unlock);
    }
  }

  private List<Place> covered(Scope.Kind kind, Place of) {
    return switch (kind) {
      case KEY, KEYS -> List.of(of);
      case GROUP ->
          world.places(of.tenant()).stream()
              .filter(p -> p.cache().equals(of.cache()) && p.group() == of.group())
              .toList();
      case CACHE ->
          world.places(of.tenant()).stream().filter(p -> p.cache().equals(of.cache())).toList();
      case TABLE, TENANT -> world.places(of.tenant());
      case EVERYWHERE -> world.allPlaces();
    };
  }

  /** The value that is put is the current one: nobody else writes until it is. */
  private void put(Line line, Place place) {
    long begun = world.history.now();
    ReentrantLock writing = world.source.writing(place.tenant());
    writing.lock();
    try {
      long version = world.source.commit(List.of(place), false);
      try {
        line.cache().put(place, CacheSource.row(place, version));
        line.history().write(world.item(place), begun, version);
      } catch (Exception e) {
        line.history().unacknowledged(world.item(place), begun, version);
      }
    } finally {
      writing.unlock();
    }
    told(line, place.tenant());
  }

  private void told(Line line, String tenant) {
    if (random.nextInt(10) > 0) {
      Passed passed = world.export(line);
      if (passed != null) {
        world.mail.put(tenant, passed);
      }
    }
  }
}
