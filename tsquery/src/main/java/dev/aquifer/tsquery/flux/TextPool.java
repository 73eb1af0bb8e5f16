package dev.aquifer.tsquery.flux;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Texts by their UTF-8, so that one that comes again is the same object and costs a look-up. Holds
 * the short ones up to a bound, then begins anew. A look-up has few probes whatever the texts are.
 */
final class TextPool {
  private static final long MIX = 0x9e37_79b9_7f4a_7c15L;
  private static final int LONGEST = 128;
  private static final int FIRST_SLOTS = 1 << 6;
  private static final int MAX_SLOTS = 1 << 13;
  private static final int PROBES = 8;

  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
  private @Nullable String[] texts = new String[FIRST_SLOTS];
  private long[] hashes = new long[FIRST_SLOTS];
  private int[] starts = new int[FIRST_SLOTS];
  private int[] lengths = new int[FIRST_SLOTS];
  private byte[] bytes = new byte[1 << 10];
  private int bytesUsed;
  private int count;
  private long added;

  /**
   * The text that these bytes are.
   *
   * @throws IllegalArgumentException they are not UTF-8
   */
  String text(byte[] source, int from, int to) {
    int length = to - from;
    if (length == 0) {
      return "";
    }
    if (length > LONGEST) {
      return decode(source, from, to);
    }
    long hash = hash(source, from, to);
    int last = texts.length - 1;
    int slot = (int) hash & last;
    for (int probe = 0; probe < PROBES; probe++) {
      String known = texts[slot];
      if (known == null) {
        return add(slot, hash, source, from, to);
      }
      if (hashes[slot] == hash && same(slot, source, from, to)) {
        return known;
      }
      slot = (slot + 1) & last;
    }
    return decode(source, from, to);
  }

  private String add(int slot, long hash, byte[] source, int from, int to) {
    String text = decode(source, from, to);
    added++;
    if (count > texts.length / 2) {
      makeRoom();
      return text;
    }
    int length = to - from;
    if (bytes.length < bytesUsed + length) {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length);
    }
    System.arraycopy(source, from, bytes, bytesUsed, length);
    starts[slot] = bytesUsed;
    lengths[slot] = length;
    bytesUsed += length;
    hashes[slot] = hash;
    texts[slot] = text;
    count++;
    return text;
  }

  /** Twice as large; or empty, when it is as large as it may be: what is in use comes again. */
  private void makeRoom() {
    @Nullable String[] before = texts;
    long[] hashesBefore = hashes;
    int[] startsBefore = starts;
    int[] lengthsBefore = lengths;
    count = 0;
    if (before.length == MAX_SLOTS) {
      Arrays.fill(texts, null);
      bytesUsed = 0;
      return;
    }
    int slots = 2 * before.length;
    texts = new String[slots];
    hashes = new long[slots];
    starts = new int[slots];
    lengths = new int[slots];
    for (int i = 0; i < before.length; i++) {
      int slot = (int) hashesBefore[i] & (slots - 1);
      // Of two for one place the second is forgotten.
      if (before[i] != null && texts[slot] == null) {
        texts[slot] = before[i];
        hashes[slot] = hashesBefore[i];
        starts[slot] = startsBefore[i];
        lengths[slot] = lengthsBefore[i];
        count++;
      }
    }
  }

  private boolean same(int slot, byte[] source, int from, int to) {
    int length = to - from;
    return lengths[slot] == length && Words.same(source, from, bytes, starts[slot], length);
  }

  /** How many texts there were that were not in it. */
  long added() {
    return added;
  }

  /** The same without looking whether there is one already. */
  String decode(byte[] source, int from, int to) {
    int length = to - from;
    if (ascii(source, from, to)) {
      return new String(source, from, length, StandardCharsets.ISO_8859_1);
    }
    try {
      return decoder.decode(ByteBuffer.wrap(source, from, length)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("not UTF-8", e);
    }
  }

  private static boolean ascii(byte[] source, int from, int to) {
    long all = 0;
    int i = from;
    for (; i + Long.BYTES <= to; i += Long.BYTES) {
      all |= Words.at(source, i);
    }
    for (; i < to; i++) {
      all |= source[i] & 0x80;
    }
    return (all & Words.HIGHEST) == 0;
  }

  private static long hash(byte[] source, int from, int to) {
    long hash = (to - from) * MIX;
    int i = from;
    for (; i + Long.BYTES <= to; i += Long.BYTES) {
      hash = (Long.rotateLeft(hash, 29) ^ Words.at(source, i)) * MIX;
    }
    long rest = 0;
    for (; i < to; i++) {
      rest = (rest << 8) | (source[i] & 0xff);
    }
    hash = (Long.rotateLeft(hash, 29) ^ rest) * MIX;
    return hash ^ (hash >>> 32);
  }
}
