package dev.aquifer.tsquery.encounter;

import dev.aquifer.AquiferException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.Encounter;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Encounters that have ended, in order of their starts, as few bytes. A version and a checksum of
 * all that follows; then, deflated: how many, the largest unit of which all times are multiples,
 * the first start, the differences of the differences of the starts, the durations, and of each id
 * what it does not share with the one before. Numbers take seven bits a byte, the lowest first.
 *
 * <p>Bytes from a store may be anything: what is none is an error that says so, and takes no more
 * memory than what is one.
 */
final class PackedEncounters {
  /** The most in one. */
  static final int MOST = 1 << 16;

  private static final int VERSION = 1;
  private static final int HEADER = 5;
  private static final int MOST_BYTES = 64 << 20;
  private static final int MOST_ID_BYTES = 1 << 10;

  private PackedEncounters() {}

  /**
   * Packs them.
   *
   * @param encounters in order of {@link EncounterOrder#BY_START}, all ended; {@link #MOST} at most
   */
  static byte[] pack(List<Encounter> encounters) {
    int count = encounters.size();
    long[] starts = new long[count];
    long[] lengths = new long[count];
    for (int i = 0; i < count; i++) {
      Encounter each = encounters.get(i);
      Instant end = each.end();
      if (end == null) {
        throw new IllegalArgumentException("The encounter '%s' is open".formatted(each.id()));
      }
      starts[i] = EncounterOrder.nanos(each.start());
      lengths[i] = EncounterOrder.nanos(end) - starts[i];
    }
    long unit = unit(starts, lengths);
    Out out = new Out();
    out.number(count);
    out.number(unit);
    if (count > 0) {
      out.signed(starts[0]);
    }
    long before = 0;
    for (int i = 1; i < count; i++) {
      long step = (starts[i] - starts[i - 1]) / unit;
      out.signed(step - before);
      before = step;
    }
    for (long length : lengths) {
      out.number(unit == 1 ? length : length / unit);
    }
    byte[] last = new byte[0];
    for (Encounter each : encounters) {
      byte[] id = each.id().getBytes(StandardCharsets.UTF_8);
      int shared = Arrays.mismatch(last, id);
      shared = shared < 0 ? id.length : shared;
      out.number(shared);
      out.number(id.length - shared);
      out.bytes(id, shared);
      last = id;
    }
    return sealed(out.toByteArray());
  }

  /** The largest number of nanoseconds that divides all; 1 where a difference passes 64 bits. */
  private static long unit(long[] starts, long[] lengths) {
    long unit = 0;
    for (int i = 0; i < starts.length; i++) {
      long step = i == 0 ? 0 : starts[i] - starts[i - 1];
      if (step < 0 || lengths[i] < 0) {
        return 1;
      }
      unit = divisor(divisor(unit, step), lengths[i]);
    }
    return Math.max(1, unit);
  }

  private static long divisor(long a, long b) {
    return a == 1 ? 1 : BigInteger.valueOf(a).gcd(BigInteger.valueOf(b)).longValue();
  }

  private static byte[] sealed(byte[] content) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    Out body = new Out();
    body.number(content.length);
    try {
      deflater.setInput(content);
      deflater.finish();
      byte[] piece = new byte[8_192];
      while (!deflater.finished()) {
        body.write(piece, 0, deflater.deflate(piece));
      }
    } finally {
      deflater.end();
    }
    byte[] rest = body.toByteArray();
    ByteBuffer all = ByteBuffer.allocate(HEADER + rest.length);
    return all.put((byte) VERSION).putInt(checksum(rest, 0)).put(rest).array();
  }

  private static int checksum(byte[] bytes, int from) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, from, bytes.length - from);
    return (int) checksum.getValue();
  }

  /**
   * What was packed.
   *
   * @throws AquiferException the bytes are none
   */
  static List<Encounter> unpack(byte[] bytes) {
    if (bytes.length < HEADER || bytes[0] != VERSION) {
      throw damaged("it is of no version that is known");
    }
    if (ByteBuffer.wrap(bytes).getInt(1) != checksum(bytes, HEADER)) {
      throw damaged("its checksum is another");
    }
    try {
      return read(inflated(bytes));
    } catch (RefusedQueryException | CharacterCodingException | DataFormatException e) {
      throw new AquiferException("Packed encounters are damaged: " + e.getMessage(), e);
    }
  }

  private static AquiferException damaged(String why) {
    return new AquiferException("Packed encounters are damaged: " + why);
  }

  private static byte[] inflated(byte[] bytes) throws DataFormatException {
    In in = new In(bytes, HEADER);
    long length = in.number();
    if (length < 0 || length > MOST_BYTES) {
      throw damaged("it would be of %,d bytes".formatted(length));
    }
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(bytes, in.at, bytes.length - in.at);
      // It grows with what is really there, not with what is said to be.
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      byte[] piece = new byte[8_192];
      while (!inflater.finished()) {
        int read = inflater.inflate(piece);
        if ((read == 0 && !inflater.finished()) || content.size() + read > length) {
          throw damaged("it ends early, or does not end");
        }
        content.write(piece, 0, read);
      }
      if (content.size() != length) {
        throw damaged("it is of %,d bytes, not %,d".formatted(content.size(), length));
      }
      return content.toByteArray();
    } finally {
      inflater.end();
    }
  }

  private static List<Encounter> read(byte[] content) throws CharacterCodingException {
    In in = new In(content, 0);
    long said = in.number();
    if (said < 0 || said > MOST || said > content.length) {
      throw damaged("it would have %,d encounters".formatted(said));
    }
    int count = (int) said;
    long unit = in.number();
    long[] starts = new long[count];
    long step = 0;
    for (int i = 0; i < count; i++) {
      if (i > 0) {
        step += in.signed();
      }
      starts[i] = i == 0 ? in.signed() : starts[i - 1] + step * unit;
    }
    long[] ends = new long[count];
    for (int i = 0; i < count; i++) {
      ends[i] = starts[i] + in.number() * unit;
    }
    List<Encounter> encounters = new ArrayList<>(count);
    byte[] id = new byte[0];
    for (int i = 0; i < count; i++) {
      id = in.following(id);
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(id)).toString();
      encounters.add(
          new Encounter(text, EncounterOrder.instant(starts[i]), EncounterOrder.instant(ends[i])));
      if (i > 0 && EncounterOrder.BY_START.compare(encounters.get(i - 1), encounters.get(i)) >= 0) {
        throw damaged("its encounters are not in order");
      }
    }
    if (in.at != content.length) {
      throw damaged("%,d bytes are left".formatted(content.length - in.at));
    }
    return encounters;
  }

  private static final class Out extends ByteArrayOutputStream {
    void number(long value) {
      long left = value;
      while ((left & ~0x7fL) != 0) {
        write((int) (left & 0x7f) | 0x80);
        left >>>= 7;
      }
      write((int) left);
    }

    void signed(long value) {
      number((value << 1) ^ (value >> 63));
    }

    void bytes(byte[] bytes, int from) {
      write(bytes, from, bytes.length - from);
    }
  }

  private static final class In {
    private final byte[] bytes;
    private int at;

    In(byte[] bytes, int at) {
      this.bytes = bytes;
      this.at = at;
    }

    long number() {
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        if (at >= bytes.length) {
          break;
        }
        byte next = bytes[at++];
        value |= (next & 0x7fL) << shift;
        if (next >= 0) {
          return value;
        }
      }
      throw damaged("a number does not end");
    }

    long signed() {
      long code = number();
      return (code >>> 1) ^ -(code & 1);
    }

    /** An id that begins as the one before. */
    byte[] following(byte[] before) {
      long shared = number();
      long more = number();
      if (shared < 0
          || shared > before.length
          || more < 0
          || more > bytes.length - at
          || shared + more > MOST_ID_BYTES) {
        throw damaged("an id is longer than what is there");
      }
      byte[] id = Arrays.copyOf(before, (int) (shared + more));
      System.arraycopy(bytes, at, id, (int) shared, (int) more);
      at += (int) more;
      return id;
    }
  }
}
