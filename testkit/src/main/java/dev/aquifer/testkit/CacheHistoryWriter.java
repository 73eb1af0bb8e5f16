package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheHistoryWorld.Line;
import dev.aquifer.testkit.CacheHistoryWorld.Passed;
import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Scope;
import dev.aquifer.testkit.CacheUnderTest.Transaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What one thread of a schedule writes.
 *
 * <p>A transaction that its writer announced and then told nobody of is acknowledged as well, by
 * nobody: when others have to know of it without being told. It is left out where its commit came
 * too late for that, or Redis lost what it knew in between.
 */
final class CacheHistoryWriter {
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
  private final HistoryChecker.Session nobody;
  private final Deque<Left> left = new ArrayDeque<>();

  CacheHistoryWriter(CacheHistoryWorld world, SplittableRandom random) {
    this.world = world;
    this.random = random;
    this.nobody = world.history.session("nobody");
  }

  /**
   * A write that nobody tells of.
   *
   * @param due when everybody has to know of it
   * @param losses how often Redis had lost anything when it was announced
   */
  private record Left(HistoryChecker.Item item, long begun, long version, long due, int losses) {}

  void write(Line line, String tenant) {
    Scope.Kind kind = world.voids.get(random.nextInt(world.voids.size()));
    Place place = world.place(tenant, random);
    List<Place> named = kind == Scope.Kind.KEYS ? world.some(tenant, random) : List.of(place);
    if (world.plan.transactions && (kind == Scope.Kind.TABLE || kind == Scope.Kind.EVERYWHERE)) {
      transact(line, new Scope(kind, tenant, covered(kind, place)));
      return;
    }
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

  /** A transaction that writes the table of a tenant. */
  void transact(Line line, String tenant) {
    Place place = world.place(tenant, random);
    transact(line, new Scope(Scope.Kind.TABLE, tenant, covered(Scope.Kind.TABLE, place)));
  }

  private void transact(Line line, Scope scope) {
    long begun = world.history.now();
    int losses = world.losses.get();
    HistoryChecker.Item item = world.item(scope.kind(), scope.places().get(0));
    try {
      line.node().gate().stumble();
      Transaction transaction = line.cache().transaction(scope);
      boolean announced = transaction.committing();
      int dice = random.nextInt(8);
      if (dice == 0) {
        transaction.rolledBack();
      } else if (dice < 3 && announced) {
        inDoubt(line, scope, transaction, () -> leave(item, begun, commit(scope), losses));
      } else {
        long version = commit(scope);
        if (dice < 5 && announced && inTime(begun)) {
          leave(item, begun, version, losses);
          if (random.nextInt(3) == 0) {
            world.lose(line.node());
          }
        } else {
          commit(line, scope, transaction, begun, version);
        }
      }
    } catch (Exception e) {
      // What was not committed is not there.
    }
  }

  private void commit(Line line, Scope scope, Transaction transaction, long begun, long version) {
    HistoryChecker.Item item = world.item(scope.kind(), scope.places().get(0));
    try {
      line.node().gate().stumble();
      transaction.committed();
      line.history().write(item, begun, version);
      told(line, scope.tenant());
    } catch (Exception e) {
      line.history().unacknowledged(item, begun, version);
    }
  }

  /** The connection is lost while the commit is on its way: it takes effect later, or never. */
  private void inDoubt(Line line, Scope scope, Transaction transaction, Runnable late) {
    try {
      transaction.outcomeUnknown();
    } catch (Exception e) {
      // It stays announced.
    }
    for (int i = random.nextInt(5); i >= 0; i--) {
      world.read(line, world.place(scope.tenant(), random));
    }
    if (random.nextInt(4) > 0) {
      late.run();
    }
  }

  private long limit() {
    return world.plan.transactionLimit.toNanos();
  }

  /** Whether what was announced then still holds, for long enough. */
  private boolean inTime(long begun) {
    return world.history.now() - begun < limit() / 2;
  }

  private void leave(HistoryChecker.Item item, long begun, long version, int losses) {
    if (inTime(begun)) {
      left.add(new Left(item, begun, version, world.history.now() + limit(), losses));
    } else {
      nobody.unacknowledged(item, begun, version);
    }
  }

  /**
   * Acknowledges what was left and is due.
   *
   * @param all waits until all of it is
   */
  void settle(boolean all) {
    for (Left next = left.peek(); next != null; next = left.peek()) {
      long early = next.due() - world.history.now();
      if (early > 0 && !all) {
        return;
      }
      if (early > 0) {
        LockSupport.parkNanos(early);
      } else {
        left.remove();
        if (next.losses() == world.losses.get()) {
          nobody.write(next.item(), next.begun(), next.version());
          nobody.export(world.history.now());
        } else {
          nobody.unacknowledged(next.item(), next.begun(), next.version());
        }
      }
    }
  }

  private long commit(Scope scope) {
    return commit(scope, List.of(), false);
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
  void put(Line line, Place place) {
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
