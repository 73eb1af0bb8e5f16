package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheHistoryWorld.Line;
import dev.aquifer.testkit.CacheHistoryWorld.Passed;
import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Row;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;

/** One thread of a schedule: for each tenant it has a session on some node. */
final class CacheHistoryWorker {
  private static final int MOST_READS = 15;

  private final CacheHistoryWorld world;
  private final SplittableRandom random;
  private final LongAdder done;
  private final CacheHistoryWriter writer;
  private final Map<String, Line> lines = new HashMap<>();

  CacheHistoryWorker(CacheHistoryWorld world, SplittableRandom random, LongAdder done) {
    this.world = world;
    this.random = random;
    this.done = done;
    this.writer = new CacheHistoryWriter(world, random);
  }

  Void run(int operations, CountDownLatch ended) throws Exception {
    try {
      for (int i = 0; i < operations; ) {
        int steps = step();
        done.add(steps);
        i += steps;
        writer.settle(false);
      }
      writer.settle(true);
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
    if (!busy && world.plan.transactions && dice < 150) {
      writer.transact(line, tenant);
      return 1;
    }
    if (world.plan.busyWriters && busy && dice < 500) {
      writer.write(line, tenant);
      return 1;
    }
    if (world.plan.together > 0 && busy && dice < 500) {
      return readMany(line, tenant);
    }
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
      writer.write(line, tenant);
    } else if (dice < 780) {
      readInBackground(line, place(tenant));
    } else if (dice < 830) {
      return readMany(line, tenant);
    } else if (dice < (world.plan.puts ? 950 : 850)) {
      writer.put(line, place(tenant));
    } else {
      writer.write(line, tenant);
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

  private Place place(String tenant) {
    return world.place(tenant, random);
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

  /** Returns how many operations it was. */
  private int readMany(Line line, String tenant) {
    List<Place> some = world.some(tenant, random);
    readAll(line, some);
    if (world.plan.together == 0) {
      return 1;
    }
    // What memory has of it now.
    some.forEach(place -> world.read(line, place));
    return 2 * some.size();
  }

  private void readAll(Line line, List<Place> some) {
    long begun = world.history.now();
    try {
      Map<Place, Row> rows = line.cache().getAll(some, world.loader(line.node()));
      some.forEach(place -> world.record(line, place, begun, rows.get(place)));
    } catch (Exception e) {
      some.forEach(place -> line.history().failed(world.item(place), begun));
    }
  }
}
