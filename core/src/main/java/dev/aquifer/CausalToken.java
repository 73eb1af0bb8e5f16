package dev.aquifer;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a reader elsewhere must have seen to see a writer's work: the database position of the write
 * and, for each cache partition that it voided, the sequence of that. A node that accepts the token
 * serves its bearer nothing older.
 *
 * <p>The text form is for a header, a cookie or a queue: printable ASCII without spaces, commas,
 * semicolons or quotes, versioned, at most {@value #MAX_LENGTH} characters. It is not signed:
 * whoever forges one can only make reads fresher and slower. Immutable and thread-safe.
 */
public final class CausalToken {
  /** The longest text, in characters. */
  public static final int MAX_LENGTH = 4096;

  private static final String VERSION = "aq1";

  private final @Nullable Position position;
  private final Map<String, Long> sequences;

  private CausalToken(@Nullable Position position, Map<String, Long> sequences) {
    this.position = position;
    this.sequences = sequences;
  }

  /**
   * A token of these parts.
   *
   * @param position the database position, or null when nothing was written there
   * @param sequences cache partition to sequence
   */
  public static CausalToken of(@Nullable Position position, Map<String, Long> sequences) {
    TreeMap<String, Long> sorted = new TreeMap<>(sequences);
    sorted.forEach(CausalToken::check);
    return new CausalToken(position, java.util.Collections.unmodifiableMap(sorted));
  }

  /**
   * The token from its text.
   *
   * @throws IllegalArgumentException when the text is not a token of this version; nothing of it is
   *     accepted then
   */
  public static CausalToken parse(String text) {
    if (text.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "A causal token has at most %,d characters; this text has %,d."
              .formatted(MAX_LENGTH, text.length()));
    }
    String[] parts = text.split("~", -1);
    if (parts.length < 2 || !parts[0].equals(VERSION)) {
      throw garbage(text, null);
    }
    try {
      Position position = parts[1].isEmpty() ? null : position(parts[1]);
      TreeMap<String, Long> sequences = new TreeMap<>();
      for (int i = 2; i < parts.length; i++) {
        int equals = parts[i].lastIndexOf('=');
        String partition = parts[i].substring(0, equals);
        long sequence = Long.parseLong(parts[i].substring(equals + 1), 16);
        check(partition, sequence);
        if (sequences.put(partition, sequence) != null) {
          throw garbage(text, null);
        }
      }
      return new CausalToken(position, java.util.Collections.unmodifiableMap(sequences));
    } catch (RuntimeException e) {
      throw garbage(text, e);
    }
  }

  /**
   * The database position that a reader's node must have replayed; empty when nothing was written
   * there.
   */
  public Optional<Position> position() {
    return Optional.ofNullable(position);
  }

  /** Cache partition to the sequence that a reader's node must have applied. */
  public Map<String, Long> sequences() {
    return sequences;
  }

  /** The text form, which {@link #parse} takes. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(VERSION).append('~');
    if (position != null) {
      text.append(Long.toHexString(position.systemId()))
          .append(':')
          .append(Integer.toHexString(position.timeline()))
          .append(':')
          .append(Long.toHexString(position.lsn()));
    }
    sequences.forEach(
        (partition, sequence) ->
            text.append('~').append(partition).append('=').append(Long.toHexString(sequence)));
    return text.toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CausalToken token && toString().equals(token.toString());
  }

  @Override
  public int hashCode() {
    return toString().hashCode();
  }

  private static Position position(String text) {
    String[] parts = text.split(":", -1);
    if (parts.length != 3) {
      throw new IllegalArgumentException("three parts");
    }
    int timeline = Integer.parseInt(parts[1], 16);
    if (timeline < 1) {
      throw new IllegalArgumentException("timeline");
    }
    return new Position(
        Long.parseUnsignedLong(parts[0], 16), timeline, Long.parseUnsignedLong(parts[2], 16));
  }

  private static void check(String partition, long sequence) {
    boolean named = !partition.isEmpty() && partition.chars().allMatch(CausalToken::allowed);
    if (!named || sequence < 0) {
      throw new IllegalArgumentException(
          "Not a cache partition and its sequence: '%s', %d"
              .formatted(Texts.printable(partition, 80), sequence));
    }
  }

  private static boolean allowed(int c) {
    return c > ' ' && c < 127 && "~=,;\"\\".indexOf(c) < 0;
  }

  private static IllegalArgumentException garbage(String text, @Nullable RuntimeException cause) {
    return new IllegalArgumentException(
        "Not a causal token: '%s'. Pass on the text of CausalToken.toString() unchanged."
            .formatted(Texts.printable(text, 60)),
        cause);
  }
}
