package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.cache.Timeline.Bound;
import dev.aquifer.cache.Timeline.Found;
import dev.aquifer.cache.Timeline.Kept;
import dev.aquifer.cache.Timeline.Moment;
import dev.aquifer.cache.Timeline.Span;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The values of one {@link Timeline} in Redis. One is current at the moment that it bears, as far
 * as nothing was void of it since: no tag and not all of the tenant, which this process knows of
 * once it has applied the news that came with it; ranges come with it, after their numbers.
 */
final class TimelineStore {
  private static final byte[] NOTHING = {};

  private final Node node;
  private final String name;
  private final List<String> tags;

  TimelineStore(Node node, String name, List<String> tags) {
    this.node = node;
    this.name = name;
    this.tags = tags;
  }

  /** See {@link Timeline#moment}. */
  @Nullable Moment moment(Bound bound) {
    Partition mine = bound.partition();
    if (!stores(mine)) {
      return null;
    }
    // What was applied of an incarnation is before each one that comes after.
    long sequence = mine.applied();
    long sharedSequence = node.shared.applied();
    Moment now =
        new Moment(mine.incarnation(), sequence, node.shared.incarnation(), sharedSequence);
    return now.incarnation() == 0 || now.sharedIncarnation() == 0 ? null : now;
  }

  /** See {@link Timeline#ask}. */
  Timeline.Asked ask(Bound bound, List<String> keys, int most) {
    Partition mine = bound.partition();
    Remote link = node.remote();
    if (link == null || keys.isEmpty() || !stores(mine)) {
      return damaged -> nothing(keys.size());
    }
    List<byte[]> places = keys.stream().map(key -> TimelineValue.place(mine, name, key)).toList();
    RedisTimelines.Asked asked = link.timelines().ask(mine, name, places);
    return damaged -> {
      try {
        return found(bound, places, asked.await(), most, damaged);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return nothing(keys.size());
      }
    };
  }

  private List<@Nullable Found> found(
      Bound bound,
      List<byte[]> places,
      List<RedisTimelines.@Nullable Answer> answers,
      int most,
      IntConsumer damaged) {
    List<@Nullable Found> found = nothing(places.size());
    int none = 0;
    for (int i = 0; i < places.size(); i++) {
      RedisTimelines.Answer answer = answers.get(i / RedisTimelines.together());
      byte[] bytes = answer == null ? NOTHING : answer.values().get(i % RedisTimelines.together());
      if (answer != null && bytes.length > 0) {
        TimelineValue value = TimelineValue.read(places.get(i), bytes);
        byte[] payload = value == null ? null : value.payload(most);
        if (value == null || payload == null) {
          none++;
          found.set(i, new Found(null, Duration.ZERO, List.of(), TimelineValue.version(bytes)));
        } else {
          boolean current =
              trusted(bound.partition(), answer) && stands(bound, answer, value.asOf());
          found.set(i, found(answer, value, current ? payload : null));
        }
      }
    }
    if (none > 0) {
      damaged.accept(none);
    }
    return found;
  }

  private static List<@Nullable Found> nothing(int keys) {
    return new ArrayList<>(Collections.nCopies(keys, null));
  }

  /** See {@link Timeline#keep}. */
  Kept keep(Bound bound, String key, byte[] payload, Span span, Moment asOf, Timeline.Place place) {
    Partition mine = bound.partition();
    Remote link = node.remote();
    if (link == null || !stores(mine)) {
      return Kept.UNKNOWN;
    }
    byte[] at = TimelineValue.place(mine, name, key);
    byte[] value = TimelineValue.write(at, payload, asOf);
    if (value.length > place.maxBytes()) {
      return Kept.TOO_LARGE;
    }
    byte[] expected = place.expected();
    try {
      return link.timelines()
          .write(
              mine,
              new RedisTimelines.Write(
                  name,
                  at,
                  value,
                  span,
                  asOf,
                  expected == null ? NOTHING : expected,
                  Math.max(1, place.life().toMillis()),
                  tags));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Kept.UNKNOWN;
    }
  }

  /** See {@link Timeline#lease}; null where Redis does not answer. */
  @Nullable List<Boolean> lease(Bound bound, List<String> keys, byte[] token, Duration time) {
    Partition mine = bound.partition();
    Remote link = node.remote();
    if (link == null || !stores(mine)) {
      return null;
    }
    try {
      List<Object> said =
          link.timelines().lease(mine, leases(mine, keys), token, Math.max(1, time.toMillis()));
      return said == null || said.size() != keys.size()
          ? null
          : said.stream().map(one -> one.equals(1L)).toList();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /** See {@link Timeline#release}. */
  void release(Bound bound, List<String> keys, byte[] token) {
    Remote link = node.remote();
    Partition mine = bound.partition();
    if (link != null && stores(mine)) {
      link.timelines().release(mine, leases(mine, keys), token);
    }
  }

  private List<byte[]> leases(Partition partition, List<String> keys) {
    return keys.stream().map(key -> TimelineValue.lease(partition, name, key)).toList();
  }

  /** Whether Redis knows all that is void here: a void that it was not told has no number. */
  private boolean stores(Partition mine) {
    Remote link = node.remote();
    return link != null && link.readable(mine) && link.readable(node.shared);
  }

  /** Asked after the answer is there: what was not told by then is not in it. */
  private boolean trusted(Partition mine, RedisTimelines.Answer answer) {
    CausalSession session = node.sessions.current();
    return stores(mine)
        && mine.shows(answer.news().sequence(), session)
        && mine.counts(session)
        && node.shared.shows(node.shared.applied(), session);
  }

  private boolean stands(Bound bound, RedisTimelines.Answer answer, Moment asOf) {
    return asOf.incarnation() == answer.news().incarnation()
        && asOf.sequence() >= answer.news().floor()
        && bound.partition().stands(asOf.incarnation(), asOf.sequence(), bound.cells())
        && node.shared.stands(asOf.sharedIncarnation(), asOf.sharedSequence(), bound.shared());
  }

  private static Found found(
      RedisTimelines.Answer answer, TimelineValue value, byte @Nullable [] payload) {
    return new Found(
        payload,
        Duration.ofMillis(Math.max(0, answer.now() - value.written())),
        voided(answer.ranges(), value.asOf().sequence()),
        value.version());
  }

  /** The ranges of a text of scripts that came after; all, where it is none of theirs. */
  private static List<Span> voided(String ranges, long after) {
    List<Span> voided = new ArrayList<>();
    String pieces = ranges.substring(ranges.indexOf(';') + 1);
    try {
      for (String piece : pieces.isEmpty() ? new String[0] : pieces.split(" ", -1)) {
        String[] parts = piece.split(":", -1);
        if (Long.parseLong(parts[0]) > after) {
          voided.add(Span.ofMillis(Long.parseLong(parts[1]), Long.parseLong(parts[2])));
        }
      }
      return voided;
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      return List.of(new Span(Long.MIN_VALUE, Long.MAX_VALUE));
    }
  }
}
