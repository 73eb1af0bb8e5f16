package dev.aquifer.tsquery;

import dev.aquifer.cache.Timeline;
import dev.aquifer.cache.Timeline.Found;
import dev.aquifer.cache.Timeline.Span;
import dev.aquifer.spi.Observer.CacheFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Takes over what Redis has of segments. The epoch is taken first, so what is voided while Redis
 * answers is not taken over; ranges that were void since a segment was stored come with it, and
 * their windows are left out.
 *
 * <p>What several queries lack is asked for together: one command a measurement, all of them sent
 * before the first answer is awaited. Of what is more than fits in one round trip, no more is asked
 * for a query that will be refused for the series that came already. Thread-safe. No method throws
 * for Redis' sake.
 */
final class SegmentReads {
  /** How much larger a segment may be before it is compressed. */
  static final int INFLATION = 16;

  /** How many segments are asked for in one round trip: they are in memory together. */
  static final int TOGETHER = 64;

  private final WindowCache cache;
  private final SecondTier.Settings settings;
  final LongAdder windows = new LongAdder();
  final LongAdder damaged = new LongAdder();

  /** Off only where a test shows what the check is for. */
  private volatile boolean voidsChecked = true;

  SegmentReads(WindowCache cache, SecondTier.Settings settings) {
    this.cache = cache;
    this.settings = settings;
  }

  void checkVoids(boolean checked) {
    voidsChecked = checked;
  }

  /**
   * Segments that a query lacks.
   *
   * @param most how many series the query may have
   */
  record Wanted(
      Ledger ledger, Track track, SegmentCodec.Shape shape, List<Long> indexes, long most) {
    Wanted part(int from, int to) {
      return new Wanted(ledger, track, shape, indexes.subList(from, to), most);
    }
  }

  /** Some of the segments of one of the queries, by its place among them. */
  private record Part(int query, Wanted wanted) {}

  /** For each, in their order, what Redis has of it; it is in memory too. */
  List<Received> read(List<Wanted> wanted) {
    Received[] received = new Received[wanted.size()];
    Arrays.fill(received, Received.NOTHING);
    List<Part> parts = new ArrayList<>();
    int segments = 0;
    for (int query = 0; query < received.length; query++) {
      Wanted whole = wanted.get(query);
      for (int from = 0; from < whole.indexes.size(); from += TOGETHER) {
        int to = Math.min(whole.indexes.size(), from + TOGETHER);
        if (segments + to - from > TOGETHER) {
          read(parts, received);
          parts.clear();
          segments = 0;
        }
        parts.add(new Part(query, whole.part(from, to)));
        segments += to - from;
      }
    }
    read(parts, received);
    return List.of(received);
  }

  private void read(List<Part> parts, Received[] received) {
    parts.removeIf(part -> received[part.query].series() > part.wanted.most);
    List<Received> read = together(parts.stream().map(Part::wanted).toList());
    for (int i = 0; i < read.size(); i++) {
      int query = parts.get(i).query;
      received[query] = received[query].and(read.get(i));
    }
  }

  private List<Received> together(List<Wanted> wanted) {
    long now = settings.now();
    Map<Ledger, Question> questions = new LinkedHashMap<>();
    List<Question> asked = new ArrayList<>();
    try {
      for (Wanted each : wanted) {
        Question question = questions.computeIfAbsent(each.ledger, Question::new);
        question.add(each);
        asked.add(question);
      }
      questions.values().forEach(Question::ask);
      questions.values().forEach(question -> question.take(now));
      List<Received> received = new ArrayList<>();
      for (int i = 0; i < wanted.size(); i++) {
        received.add(asked.get(i).received(wanted.get(i)));
      }
      return received;
    } finally {
      questions.values().forEach(question -> cache.end(question.ledger, question.epoch));
    }
  }

  /** What is asked of one measurement; a segment that several queries lack, once. */
  private final class Question {
    private final Ledger ledger;
    private final long epoch;
    private final Map<Track.Part, SegmentCodec.Shape> shapes = new LinkedHashMap<>();
    private final Map<Track.Part, Segment> taken = new HashMap<>();
    private Timeline.@Nullable Asked asked;

    Question(Ledger ledger) {
      this.ledger = ledger;
      this.epoch = cache.begin(ledger);
    }

    void add(Wanted wanted) {
      wanted.indexes.forEach(
          index -> shapes.put(new Track.Part(wanted.track, index), wanted.shape));
    }

    void ask() {
      List<String> names = settings.names().of(ledger, List.copyOf(shapes.keySet()));
      if (ledger.timeline != null && !names.isEmpty()) {
        asked = ledger.timeline.ask(names, settings.maxBytes() * INFLATION);
      }
    }

    void take(long now) {
      if (asked == null) {
        return;
      }
      int i = 0;
      List<@Nullable Found> found = await(asked, ledger.key.measurement());
      for (Map.Entry<Track.Part, SegmentCodec.Shape> each : shapes.entrySet()) {
        Track.Part part = each.getKey();
        Segment segment = segment(part, each.getValue(), found.get(i++), now);
        Segment adopted = segment == null ? null : cache.adopt(ledger, epoch, part, segment);
        if (segment != null && adopted != null) {
          windows.add(segment.windows());
          taken.put(part, adopted);
        }
      }
    }

    Received received(Wanted wanted) {
      Map<Long, Segment> segments = new HashMap<>();
      for (long index : wanted.indexes) {
        Segment segment = taken.get(new Track.Part(wanted.track, index));
        if (segment != null) {
          segments.put(index, segment);
        }
      }
      return new Received(epoch, segments);
    }
  }

  /** What Redis has of one segment, for who replaces it; null for nothing. */
  @Nullable Found find(Timeline timeline, Track.Part part, List<String> names) {
    Timeline.Asked asked = timeline.ask(names, settings.maxBytes() * INFLATION);
    return await(asked, part.track().measurement()).get(0);
  }

  @SuppressWarnings("NullAway") // of a list's type argument from another module it knows no null
  private List<@Nullable Found> await(Timeline.Asked asked, String measurement) {
    return asked.await(count -> damaged(measurement, count));
  }

  /** What of it is current; null for nothing. */
  @Nullable Segment segment(
      Track.Part part, SegmentCodec.Shape shape, @Nullable Found found, long now) {
    byte[] payload = found == null ? null : found.payload();
    if (found == null || payload == null) {
      return null;
    }
    Segment segment = SegmentCodec.read(payload, shape, found.age(), now);
    if (segment == null) {
      damaged(part.track().measurement(), 1);
      return null;
    }
    for (Span span : voidsChecked ? found.voided() : List.<Span>of()) {
      segment = segment.without(part.indexFrom(span.start()), part.indexTo(span.stop()));
    }
    return segment.allUnknown() ? null : segment;
  }

  private void damaged(String measurement, int count) {
    damaged.add(count);
    settings.observer().cacheFault(measurement, CacheFault.DAMAGED, null);
  }
}
