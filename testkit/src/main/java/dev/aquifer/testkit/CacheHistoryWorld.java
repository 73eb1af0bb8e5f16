package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Row;
import dev.aquifer.testkit.CacheUnderTest.Scope;
import dev.aquifer.testkit.HistoryChecker.Item;
import dev.aquifer.testkit.HistoryChecker.Session;
import dev.aquifer.testkit.HistoryChecker.Token;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** What all threads of a schedule share: the truth, the nodes, who depends on what. */
final class CacheHistoryWorld {
  private static final int BUSY = 2;
  private static final int BUSY_KEYS = 9;
  private static final int QUIET_KEYS = 1;
  private static final int FEW = 5;

  final HistoryChecker history;
  final List<CacheHistoryNode> nodes;
  final CacheHistoryPlan plan;
  final CacheSource source;
  final List<String> tenants = new ArrayList<>();
  final Map<String, List<Place>> places = new HashMap<>();
  final ConcurrentHashMap<String, Passed> mail = new ConcurrentHashMap<>();
  final List<Scope.Kind> voids;

  /** Whether a fault goes on: what is voided now, somebody may miss. */
  volatile boolean disturbed;

  /** How often Redis lost something of what it had, or began to. */
  final AtomicInteger losses = new AtomicInteger();

  private final CacheHistoryNodes all;
  private final AtomicInteger mayDie = new AtomicInteger(3);
  private final Map<Place, Item> items = new HashMap<>();

  /** A token as the cache and as the checker know it. */
  record Passed(String text, Token token) {}

  /** A session as the cache and as the checker know it. */
  record Line(CacheHistoryNode node, CacheUnderTest.Session cache, Session history) {}

  CacheHistoryWorld(
      HistoryChecker history,
      CacheHistoryNodes nodes,
      CacheSource source,
      int quiet,
      CacheHistoryPlan plan) {
    this.voids = CacheHistoryWriter.KINDS.stream().filter(plan.voids::contains).toList();
    this.history = history;
    this.all = nodes;
    this.nodes = nodes.now();
    this.source = source;
    this.plan = plan;
    int keys = plan.together > 0 ? 10 * BUSY_KEYS : BUSY_KEYS;
    for (int i = 0; i < BUSY + quiet; i++) {
      String tenant = (i < BUSY ? "busy" : "quiet") + i;
      tenants.add(tenant);
      List<Place> all = CacheHistory.places(tenant, i < BUSY ? keys : QUIET_KEYS);
      places.put(tenant, all);
      for (Place place : all) {
        List<Item> on = new ArrayList<>();
        for (Scope.Kind kind : Scope.Kind.values()) {
          if (kind != Scope.Kind.KEY && kind != Scope.Kind.KEYS) {
            on.add(history.item(name(kind, place)));
          }
        }
        items.put(place, history.item(name(Scope.Kind.KEY, place), on.toArray(new Item[0])));
      }
    }
  }

  int busy() {
    return BUSY;
  }

  List<Place> places(String tenant) {
    return Objects.requireNonNull(places.get(tenant));
  }

  List<Place> allPlaces() {
    return tenants.stream().flatMap(tenant -> places(tenant).stream()).toList();
  }

  /** The smaller of two: some places are hot. */
  Place place(String tenant, SplittableRandom random) {
    List<Place> mine = places(tenant);
    return mine.get(Math.min(random.nextInt(mine.size()), random.nextInt(mine.size())));
  }

  /** Some places of one cache. */
  List<Place> some(String tenant, SplittableRandom random) {
    String cache = place(tenant, random).cache();
    List<Place> mine = places(tenant).stream().filter(p -> p.cache().equals(cache)).toList();
    Set<Place> some = new LinkedHashSet<>();
    for (int i = 1 + random.nextInt(Math.max(FEW, plan.together)); i > 0; i--) {
      some.add(mine.get(random.nextInt(mine.size())));
    }
    return List.copyOf(some);
  }

  Item item(Place place) {
    return Objects.requireNonNull(items.get(place));
  }

  /** What a write of that kind, of this place, is a write of. */
  Item item(Scope.Kind kind, Place place) {
    return kind == Scope.Kind.KEY || kind == Scope.Kind.KEYS
        ? item(place)
        : history.item(name(kind, place));
  }

  private static String name(Scope.Kind kind, Place place) {
    return switch (kind) {
      case KEY, KEYS -> place.tenant() + "/" + place.cache() + "/" + place.key();
      case GROUP -> place.tenant() + "/" + place.cache() + "/group " + place.group();
      case TABLE -> place.tenant() + "/table";
      case CACHE -> place.tenant() + "/" + place.cache();
      case TENANT -> place.tenant();
      case EVERYWHERE -> "everywhere";
    };
  }

  Line open(CacheHistoryNode node, String tenant, @Nullable Passed passed) throws Exception {
    Line line = new Line(node, node.cache().session(tenant), history.session(node.name()));
    if (passed != null) {
      accept(line, passed);
    }
    return line;
  }

  void accept(Line line, Passed passed) throws Exception {
    if (plan.tokens) {
      line.cache().accept(passed.text());
      line.history().accept(passed.token());
    }
  }

  /** Null where others cannot be told now. */
  @Nullable Passed export(Line line) {
    long begun = history.now();
    try {
      String text = line.cache().export();
      return new Passed(text, line.history().export(begun));
    } catch (Exception e) {
      return null;
    }
  }

  CacheUnderTest.Source loader(CacheHistoryNode node) {
    return new CacheUnderTest.Source() {
      @Override
      public @Nullable Row load(Place place) {
        return load(place, Long.MAX_VALUE);
      }

      @Override
      public @Nullable Row load(Place place, long commits) {
        node.gate().stumble();
        Row row = source.load(place, commits);
        node.gate().stumble();
        return row;
      }
    };
  }

  /** The node is gone at once, unless too many are by now. */
  void lose(CacheHistoryNode node) {
    if (mayDie.getAndDecrement() > 0) {
      history.note(node.name() + " is gone, " + all.lose(node) + " in its place");
    }
  }

  void read(Line line, Place place) {
    long begun = history.now();
    try {
      Row row = line.cache().get(place, loader(line.node()));
      record(line, place, begun, row);
    } catch (Exception e) {
      line.history().failed(item(place), begun);
    }
  }

  void record(Line line, Place place, long begun, @Nullable Row row) {
    Session session = line.history();
    if (row == null) {
      session.readAbsent(item(place), begun);
    } else if (row.equals(CacheSource.row(place, row.asOf()))) {
      session.read(item(place), begun, row.asOf());
    } else {
      session.readForeign(item(place), begun);
    }
  }

  /** All is well again: once everybody knows of everything, nobody may miss anything. */
  void readEverywhere(Duration bound) {
    List<Passed> all = new ArrayList<>();
    for (String tenant : tenants) {
      for (CacheHistoryNode node : nodes) {
        Passed passed =
            Eventually.within(Duration.ofSeconds(30))
                .get("a token of " + node.name(), () -> export(open(node, tenant, null)));
        all.add(passed);
      }
    }
    long until = history.now() + bound.toNanos() + 1;
    while (history.now() - until < 0) {
      LockSupport.parkNanos(until - history.now());
    }
    // Without tokens first: they make nodes ask for what they missed.
    readAll(List.of());
    readAll(all);
  }

  private void readAll(List<Passed> passed) {
    for (CacheHistoryNode node : nodes) {
      for (int i = 0; i < tenants.size(); i++) {
        try {
          Line line = open(node, tenants.get(i), null);
          for (Passed each :
              passed.isEmpty()
                  ? passed
                  : passed.subList(nodes.size() * i, nodes.size() * (i + 1))) {
            accept(line, each);
          }
          places(tenants.get(i)).forEach(place -> read(line, place));
        } catch (Exception e) {
          throw new IllegalStateException("no session at " + node.name(), e);
        }
      }
    }
  }
}
