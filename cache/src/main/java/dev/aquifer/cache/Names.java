package dev.aquifer.cache;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The texts that travel between nodes: names of voids, each after its length, and what scripts
 * answer. A text that is not one of ours, or names a kind that only a later version knows, reads as
 * "everything is void", which is always safe.
 */
final class Names {
  /** Beside the markers a partition's state names the schemas that leases were granted for. */
  private static final String SCHEMAS = "x:";

  private Names() {}

  static String write(Collection<String> names) {
    StringBuilder text = new StringBuilder();
    for (String name : names) {
      text.append(name.length()).append(':').append(name);
    }
    return text.toString();
  }

  static List<String> read(String text) {
    List<String> names = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      int colon = text.indexOf(':', at);
      if (colon < 0 || colon - at > 6) {
        return List.of(Partition.ALL);
      }
      int length;
      try {
        length = Integer.parseInt(text, at, colon, 10);
      } catch (NumberFormatException e) {
        return List.of(Partition.ALL);
      }
      if (length < 0 || length > text.length() - colon - 1) {
        return List.of(Partition.ALL);
      }
      String name = text.substring(colon + 1, colon + 1 + length);
      if (!KeyText.isKnown(name)) {
        return List.of(Partition.ALL);
      }
      names.add(name);
      at = colon + 1 + length;
    }
    return names;
  }

  /** The first parts of every script's answer. */
  static CatchUp news(List<?> answer) {
    long incarnation = incarnation(text(answer.get(0)));
    long sequence = Long.parseLong(text(answer.get(1)));
    long floor = Long.parseLong(text(answer.get(2)));
    List<?> news = (List<?>) answer.get(3);
    List<CatchUp.Event> events = List.of();
    Map<String, Long> markers = null;
    Map<String, Notice> poisons = Map.of();
    String owner = null;
    Gaps gaps = null;
    String kind = news.isEmpty() ? "" : text(news.get(0));
    if (kind.equals("O")) {
      owner = text(news.get(1));
    } else if (kind.equals("E")) {
      gaps = Gaps.read(text(news.get(1)));
      events = new ArrayList<>();
      for (int i = 2; i + 1 < news.size(); i += 2) {
        String id = text(news.get(i));
        events.add(
            new CatchUp.Event(
                Long.parseLong(id, 0, id.indexOf('-'), 10), Notice.read(text(news.get(i + 1)))));
      }
    } else if (kind.equals("S")) {
      markers = markers(news);
      poisons = poisons(news);
      gaps = gaps(news);
      for (Map.Entry<String, Long> marker : markers.entrySet()) {
        if (!KeyText.isKnown(marker.getKey())) {
          floor = Math.max(floor, marker.getValue());
        }
      }
    }
    return new CatchUp(incarnation, sequence, floor, events, markers, poisons, owner, gaps);
  }

  static String text(@Nullable Object bytes) {
    if (bytes instanceof byte[] array) {
      return new String(array, StandardCharsets.UTF_8);
    }
    throw new IllegalStateException("Redis answered something that no script of ours returns.");
  }

  /** Hexadecimal, never 0. */
  static long incarnation(String text) {
    return Long.parseUnsignedLong(text, 16);
  }

  private static Map<String, Long> markers(List<?> news) {
    Map<String, Long> markers = new HashMap<>();
    for (int i = 1; i + 1 < news.size(); i += 2) {
      String name = text(news.get(i));
      if (name.length() > 1 && !name.startsWith(SCHEMAS) && !KeyText.isRange(name)) {
        markers.put(name, Long.parseLong(text(news.get(i + 1))));
      }
    }
    return markers;
  }

  private static Gaps gaps(List<?> news) {
    for (int i = 1; i + 1 < news.size(); i += 2) {
      if (text(news.get(i)).equals("g")) {
        return Gaps.read(text(news.get(i + 1)));
      }
    }
    return Gaps.NONE;
  }

  private static Map<String, Notice> poisons(List<?> news) {
    Map<String, Notice> poisons = new HashMap<>();
    for (int i = 1; i + 1 < news.size(); i += 2) {
      if (text(news.get(i)).equals("+")) {
        Notice notice = Notice.read(text(news.get(i + 1)));
        poisons.put(notice.token(), notice);
      }
    }
    return poisons;
  }
}
