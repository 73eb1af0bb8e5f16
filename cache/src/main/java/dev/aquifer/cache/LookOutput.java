package dev.aquifer.cache;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Entries, and after them the position of their partition, as MGET answers. */
final class LookOutput extends CommandOutput<byte[], byte[], LookOutput> {
  private final byte[] @Nullable [] entries;
  private int parts;
  private long incarnation;
  private long sequence = -1;

  @SuppressWarnings("this-escape") // it is its own value
  LookOutput(int count) {
    super(ByteArrayCodec.INSTANCE, null);
    entries = new byte[count][];
    output = this;
  }

  /** Null where there is none, or something else is in its place. */
  byte @Nullable [] entry(int i) {
    return entries[i];
  }

  /** 0 where Redis has none. */
  long incarnation() {
    return incarnation;
  }

  /** Negative where Redis has none. */
  long sequence() {
    return sequence;
  }

  @Override
  public void set(@Nullable ByteBuffer bytes) {
    int part = parts++;
    if (bytes == null) {
      return;
    }
    if (part < entries.length) {
      byte[] entry = new byte[bytes.remaining()];
      bytes.get(entry);
      entries[part] = entry;
    } else {
      long first = number(bytes, 16);
      long second = number(bytes, 10);
      if (first != -1 && second >= 0) {
        incarnation = first;
        sequence = second;
      }
    }
  }

  /** Up to a blank or the end; -1 where it is none. */
  private static long number(ByteBuffer bytes, int radix) {
    long number = 0;
    int digits = 0;
    while (bytes.hasRemaining()) {
      int c = bytes.get();
      if (c == ' ') {
        break;
      }
      int digit = Character.digit(c, radix);
      if (digit < 0 || ++digits > 16) {
        return -1;
      }
      number = number * radix + digit;
    }
    return digits == 0 ? -1 : number;
  }
}
