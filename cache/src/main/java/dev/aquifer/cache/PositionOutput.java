package dev.aquifer.cache;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Incarnation and sequence of a partition, read from the answer without a copy of it. */
final class PositionOutput extends CommandOutput<byte[], byte[], PositionOutput> {
  private int parts;
  private long incarnation;
  private long sequence = -1;

  @SuppressWarnings("this-escape") // it is its own value
  PositionOutput() {
    super(ByteArrayCodec.INSTANCE, null);
    output = this;
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
    if (parts++ == 0) {
      incarnation = bytes == null || bytes.remaining() > 16 ? 0 : number(bytes, 16, 0);
    } else {
      sequence = bytes == null || bytes.remaining() > 18 ? -1 : number(bytes, 10, -1);
    }
  }

  private static long number(ByteBuffer bytes, int radix, long otherwise) {
    long number = 0;
    while (bytes.hasRemaining()) {
      int digit = Character.digit(bytes.get(), radix);
      if (digit < 0) {
        return otherwise;
      }
      number = number * radix + digit;
    }
    return number;
  }
}
