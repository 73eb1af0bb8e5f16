package dev.aquifer.replica;

import dev.aquifer.sql.FunctionCatalog.Effect;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The objects of a database and what each runs when it is used. An object is as bad as the worst of
 * what it runs, through any number of steps. Confined to the thread that reads the catalogue.
 */
final class CatalogGraph {
  /** A sort of object; each numbers its objects itself. */
  enum Sort {
    FUNCTION,
    RELATION,
    TYPE,
    OPERATOR
  }

  private static final class Item {
    final String schema;
    final String name;
    Effect effect;

    /** Whether {@code x.name} may call it. */
    boolean attribute;

    /** Objects that run this one. */
    final List<Item> users = new ArrayList<>(0);

    Item(String schema, String name, Effect effect) {
      this.schema = schema;
      this.name = name;
      this.effect = effect;
    }
  }

  private final Map<Sort, Map<Long, Item>> items = new EnumMap<>(Sort.class);
  private final Map<Item, Set<String>> words = new HashMap<>();

  /** Stands for every object, as an unseen cast between two of PostgreSQL's own types does. */
  private final Item anything = new Item("", "", Effect.HARMLESS);

  CatalogGraph() {
    for (Sort sort : Sort.values()) {
      items.put(sort, new HashMap<>());
    }
  }

  void add(Sort sort, long oid, String schema, String name, Effect effect) {
    of(sort).put(oid, new Item(schema, name, effect));
  }

  /** Another reason why it is no better than this. */
  void worsen(Sort sort, long oid, Effect effect) {
    Item item = of(sort).get(oid);
    if (item != null) {
      item.effect = CatalogSnapshot.worse(item.effect, effect);
    }
  }

  /** The function takes one value, so that it may be called as an attribute of it. */
  void takesOne(long function) {
    Item item = of(Sort.FUNCTION).get(function);
    if (item != null) {
      item.attribute = true;
    }
  }

  /** Using the one runs the other; what is not known of the other is taken for the worst. */
  void runs(Sort sort, long oid, Sort otherSort, long other) {
    Item user = of(sort).get(oid);
    if (user == null) {
      return;
    }
    Item used = of(otherSort).get(other);
    if (used == null) {
      user.effect = Effect.UNKNOWN;
    } else {
      used.users.add(user);
    }
  }

  /** The function's body holds these words, each of which may name what it runs. */
  void mentions(long function, Set<String> words) {
    Item item = of(Sort.FUNCTION).get(function);
    if (item != null) {
      this.words.put(item, words);
    }
  }

  /** Any statement at all may run the function, unseen. */
  void anythingRuns(long function) {
    Item used = of(Sort.FUNCTION).get(function);
    if (used == null) {
      anything.effect = Effect.UNKNOWN;
    } else {
      used.users.add(anything);
    }
  }

  /** Lets each object be as bad as what it runs, and answers by name. */
  CatalogSnapshot resolve() {
    connectWords();
    spread();
    Map<String, Effect> functions = new HashMap<>();
    Map<String, Effect> attributes = new HashMap<>();
    for (Item item : of(Sort.FUNCTION).values()) {
      Effect effect = effect(item);
      boolean system = CatalogSnapshot.isSystem(item.schema);
      if (!system || effect != Effect.HARMLESS) {
        name(functions, item, effect);
      }
      if (item.attribute && !system && effect != Effect.HARMLESS) {
        attributes.merge(item.name, effect, CatalogSnapshot::worse);
      }
    }
    return new CatalogSnapshot(
        functions, named(Sort.RELATION), named(Sort.TYPE), named(Sort.OPERATOR), attributes);
  }

  private void connectWords() {
    if (words.isEmpty()) {
      return;
    }
    Map<String, List<Item>> byName = new HashMap<>();
    for (Sort sort : Sort.values()) {
      for (Item item : of(sort).values()) {
        // The system's harmless ones stay so; leaving them out keeps the lists short.
        if (!CatalogSnapshot.isSystem(item.schema) || item.effect != Effect.HARMLESS) {
          byName
              .computeIfAbsent(FunctionBody.mention(item.name), name -> new ArrayList<>(1))
              .add(item);
        }
      }
    }
    Set<Item> seen = new HashSet<>();
    words.forEach(
        (user, mentioned) -> {
          seen.clear();
          for (String word : mentioned) {
            for (Item used : byName.getOrDefault(word, List.of())) {
              if (used != user && seen.add(used)) {
                used.users.add(user);
              }
            }
          }
        });
  }

  private void spread() {
    Deque<Item> bad = new ArrayDeque<>();
    for (Map<Long, Item> sort : items.values()) {
      sort.values().stream().filter(item -> item.effect != Effect.HARMLESS).forEach(bad::add);
    }
    while (!bad.isEmpty()) {
      Item used = bad.remove();
      for (Item user : used.users) {
        if (used.effect.compareTo(user.effect) > 0) {
          user.effect = used.effect;
          bad.add(user);
        }
      }
    }
  }

  private Map<String, Effect> named(Sort sort) {
    Map<String, Effect> named = new HashMap<>();
    for (Item item : of(sort).values()) {
      name(named, item, effect(item));
    }
    return named;
  }

  private static void name(Map<String, Effect> names, Item item, Effect effect) {
    names.merge(item.schema + "." + item.name, effect, CatalogSnapshot::worse);
    names.merge(item.name, effect, CatalogSnapshot::worse);
  }

  private Effect effect(Item item) {
    return CatalogSnapshot.worse(item.effect, anything.effect);
  }

  private Map<Long, Item> of(Sort sort) {
    return Objects.requireNonNull(items.get(sort));
  }
}
