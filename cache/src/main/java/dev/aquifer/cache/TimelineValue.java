package dev.aquifer.cache;

import com.github.luben.zstd.Zstd;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A value of a timeline as Redis stores it. First when it was written, by Redis' clock, as 15
 * digits, set by the script. Then, big-endian: magic and format (4), CRC-32C of the key and of all
 * that follows (4), flags (1), incarnation and sequence of both partitions at which it was known to
 * be current (4 × 8), the payload's size (4), the payload. Magic and CRC tell one version of a
 * value from another.
 *
 * <p>Bytes that are not exactly that are no value: {@link #read} returns null for them, whatever
 * they are, and so for bytes that were copied from another key. Nothing is allocated by a size that
 * they claim before it is checked.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record TimelineValue(
    long written,
    byte[] version,
    Timeline.Moment asOf,
    boolean compressed,
    int size,
    byte[] bytes) {
  static final int STAMP = 15;
  static final int VERSION = 8;

  private static final int MAGIC = 0x4151_5401;
  private static final int COMPRESSED = 1;
  private static final int FIXED = 4 + 4 + 1 + 4 * 8 + 4;
  private static final int COMPRESS_FROM = 256;

  /** The bytes after the stamp. */
  static byte[] write(byte[] key, byte[] payload, Timeline.Moment asOf) {
    byte[] kept = payload;
    if (payload.length >= COMPRESS_FROM) {
      byte[] smaller = Zstd.compress(payload);
      kept = smaller.length < payload.length ? smaller : payload;
    }
    ByteBuffer out = ByteBuffer.allocate(FIXED + kept.length).putInt(MAGIC).putInt(0);
    out.put((byte) (kept == payload ? 0 : COMPRESSED));
    out.putLong(asOf.incarnation()).putLong(asOf.sequence());
    out.putLong(asOf.sharedIncarnation()).putLong(asOf.sharedSequence());
    out.putInt(payload.length).put(kept);
    out.putInt(4, checksum(key, out.array(), 0));
    return out.array();
  }

  /** The value of stored bytes; null where they are none of this key. Never throws. */
  static @Nullable TimelineValue read(byte[] key, byte[] stored) {
    if (stored.length < STAMP + FIXED) {
      return null;
    }
    long written = 0;
    for (int i = 0; i < STAMP; i++) {
      int digit = stored[i] - '0';
      if (digit < 0 || digit > 9) {
        return null;
      }
      written = 10 * written + digit;
    }
    ByteBuffer in = ByteBuffer.wrap(stored, STAMP, stored.length - STAMP);
    if (in.getInt() != MAGIC || in.getInt() != checksum(key, stored, STAMP)) {
      return null;
    }
    int flags = in.get();
    Timeline.Moment asOf =
        new Timeline.Moment(in.getLong(), in.getLong(), in.getLong(), in.getLong());
    int size = in.getInt();
    return (flags & ~COMPRESSED) != 0 || size < 0
        ? null
        : new TimelineValue(
            written,
            version(stored),
            asOf,
            flags == COMPRESSED,
            size,
            Arrays.copyOfRange(stored, in.position(), stored.length));
  }

  /** Which version of a value the bytes are, whatever they are. */
  static byte[] version(byte[] stored) {
    int from = Math.min(STAMP, stored.length);
    return Arrays.copyOfRange(stored, from, Math.min(from + VERSION, stored.length));
  }

  /** The payload; null where it is larger than this, or not what it says. */
  byte @Nullable [] payload(int most) {
    if (size > most) {
      return null;
    }
    if (!compressed) {
      return size == bytes.length ? bytes : null;
    }
    byte[] raw = new byte[size];
    long count = Zstd.decompressByteArray(raw, 0, size, bytes, 0, bytes.length);
    return Zstd.isError(count) || count != size ? null : raw;
  }

  /** Where a value is. */
  static byte[] place(Partition partition, String timeline, String key) {
    return place(partition, "w:", timeline, key);
  }

  /** Where the lease on a value is. */
  static byte[] lease(Partition partition, String timeline, String key) {
    return place(partition, "wl:", timeline, key);
  }

  private static byte[] place(Partition partition, String kind, String timeline, String key) {
    String text = kind + timeline.length() + ':' + timeline + ':' + KeyText.stored(key);
    byte[] base = partition.stored.base();
    byte[] rest = text.getBytes(StandardCharsets.UTF_8);
    byte[] all = Arrays.copyOf(base, base.length + rest.length);
    System.arraycopy(rest, 0, all, base.length, rest.length);
    return all;
  }

  private static int checksum(byte[] key, byte[] bytes, int from) {
    CRC32C sum = new CRC32C();
    sum.update(key, 0, key.length);
    sum.update(bytes, from + 8, bytes.length - from - 8);
    return (int) sum.getValue();
  }
}
