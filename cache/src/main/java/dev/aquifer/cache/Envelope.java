package dev.aquifer.cache;

import com.github.luben.zstd.Zstd;
import dev.aquifer.Tag;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * An entry as Redis stores it. Big-endian: magic and format (4), CRC-32C of the key in Redis and of
 * all that follows (4), flags, codec and its version (3), when it was created and when Redis drops
 * it, by Redis' clock, how long it is kept after it stopped being fresh and how long its load took,
 * in milliseconds (4 × 8), incarnation and sequence of both partitions (4 × 8), the number of tags
 * (2) and each with its length (2), the payload's size (4), the payload.
 *
 * <p>Bytes that are not exactly that are no entry: {@link #read} returns null for them, whatever
 * they are, and so for bytes that were copied from another key: another's value is never served.
 * Nothing is allocated by a size that they claim before it is checked.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Envelope(
    int flags,
    int codecId,
    int codecVersion,
    long created,
    long ends,
    long staleMillis,
    long loadMillis,
    long incarnation,
    long asOf,
    long sharedIncarnation,
    long sharedAsOf,
    Set<Tag> tags,
    int size,
    byte[] bytes,
    int from) {
  /** What is written and read. It is a part of the schema, so versions keep entries apart. */
  static final int FORMAT = 3;

  private static final int MAGIC = 0x4151_4500;
  private static final int COMPRESSED = 1;
  private static final int NEGATIVE = 2;
  private static final int FIXED = 4 + 4 + 3 + 8 * 8 + 2 + 4;
  private static final int MAX_TAGS = 4096;

  /**
   * When an entry is written and when it ends, in milliseconds of Redis' clock; 0 where that is not
   * known.
   */
  record Times(long created, long ends) {
    static final Times UNKNOWN = new Times(0, 0);
  }

  boolean negative() {
    return (flags & NEGATIVE) != 0;
  }

  boolean writtenBy(Codec codec) {
    return negative() || (codecId == codec.id() && codecVersion == codec.version());
  }

  /**
   * The value of the payload.
   *
   * @throws Exception when the payload is larger than allowed, or not what it says
   */
  Object value(Values values, int most) throws Exception {
    if ((flags & COMPRESSED) != 0 || size != bytes.length - from || size > most) {
      return values.decode(payload(most));
    }
    return values.decode(bytes, from, size);
  }

  /**
   * The payload, decompressed.
   *
   * @throws IllegalStateException when it is larger than allowed, or not what it says
   */
  byte[] payload(int most) {
    int length = bytes.length - from;
    if (size < 0 || size > most) {
      throw new IllegalStateException(
          "A payload of %,d bytes; %,d are allowed".formatted(size, most));
    }
    if ((flags & COMPRESSED) == 0) {
      if (size != length) {
        throw new IllegalStateException("A payload of another size than stated");
      }
      return Arrays.copyOfRange(bytes, from, bytes.length);
    }
    byte[] raw = new byte[size];
    long count = Zstd.decompressByteArray(raw, 0, size, bytes, from, length);
    if (Zstd.isError(count) || count != size) {
      throw new IllegalStateException("A payload that cannot be decompressed to its size");
    }
    return raw;
  }

  /** The bytes of an entry. */
  static byte[] write(
      Place place,
      Remote.Lease lease,
      Remote.Filling filling,
      Codec codec,
      int compressFrom,
      Times times) {
    byte[] payload = filling.payload();
    int size = payload.length;
    int flags = filling.negative() ? NEGATIVE : 0;
    if (size >= compressFrom) {
      byte[] smaller = Zstd.compress(payload);
      if (smaller.length < size) {
        payload = smaller;
        flags |= COMPRESSED;
      }
    }
    List<byte[]> tags =
        filling.tags().stream().map(tag -> tag.getBytes(StandardCharsets.UTF_8)).toList();
    int length = FIXED + payload.length + tags.stream().mapToInt(tag -> 2 + tag.length).sum();
    ByteBuffer out = ByteBuffer.allocate(length).putInt(MAGIC | place.format).putInt(0);
    out.put((byte) flags).put((byte) codec.id()).put((byte) codec.version());
    out.putLong(times.created()).putLong(times.ends());
    out.putLong(filling.staleMillis()).putLong(filling.loadMillis());
    out.putLong(lease.incarnation()).putLong(lease.asOf());
    out.putLong(lease.sharedIncarnation()).putLong(lease.sharedAsOf());
    out.putShort((short) tags.size());
    tags.forEach(tag -> out.putShort((short) tag.length).put(tag));
    out.putInt(size).put(payload);
    out.putInt(4, checksum(place.key, out.array()));
    return out.array();
  }

  /** Where an entry is, and in which format. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Place(byte[] key, int format) {}

  /** Whether the bytes begin like an entry, of another format. */
  static boolean foreign(Place place, byte[] bytes) {
    if (bytes.length < FIXED) {
      return false;
    }
    int magic = ByteBuffer.wrap(bytes).getInt();
    return (magic & ~0xFF) == MAGIC && magic != (MAGIC | place.format);
  }

  /** The entry of the bytes, or null where they are none of this place. Never throws. */
  static @Nullable Envelope read(Place place, byte[] bytes) {
    if (bytes.length < FIXED) {
      return null;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (in.getInt() != (MAGIC | place.format) || in.getInt() != checksum(place.key, bytes)) {
      return null;
    }
    try {
      return fields(in, bytes);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return null;
    }
  }

  private static @Nullable Envelope fields(ByteBuffer in, byte[] bytes) {
    int flags = in.get() & 0xFF;
    int codecId = in.get() & 0xFF;
    int codecVersion = in.get() & 0xFF;
    long created = in.getLong();
    long ends = in.getLong();
    long staleMillis = in.getLong();
    long loadMillis = in.getLong();
    long incarnation = in.getLong();
    long asOf = in.getLong();
    long sharedIncarnation = in.getLong();
    long sharedAsOf = in.getLong();
    int count = in.getShort() & 0xFFFF;
    if ((flags & ~(COMPRESSED | NEGATIVE)) != 0
        || ends < 0
        || staleMillis < 0
        || loadMillis < 0
        || count > MAX_TAGS) {
      return null;
    }
    Set<Tag> tags = count == 0 ? Set.of() : new LinkedHashSet<>();
    for (int i = 0; i < count; i++) {
      int length = in.getShort() & 0xFFFF;
      if (length > in.remaining()) {
        return null;
      }
      byte[] name = new byte[length];
      in.get(name);
      tags.add(Tag.of(new String(name, StandardCharsets.UTF_8)));
    }
    int size = in.getInt();
    return new Envelope(
        flags,
        codecId,
        codecVersion,
        created,
        ends,
        staleMillis,
        loadMillis,
        incarnation,
        asOf,
        sharedIncarnation,
        sharedAsOf,
        tags,
        size,
        bytes,
        in.position());
  }

  private static int checksum(byte[] key, byte[] bytes) {
    CRC32C sum = new CRC32C();
    sum.update(key, 0, key.length);
    sum.update(bytes, 8, bytes.length - 8);
    return (int) sum.getValue();
  }
}
