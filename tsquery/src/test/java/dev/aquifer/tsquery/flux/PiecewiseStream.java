package dev.aquifer.tsquery.flux;

import java.io.ByteArrayInputStream;
import java.util.function.IntSupplier;

/** A body that comes in pieces; a piece of 0 bytes is none, as some streams have it. */
final class PiecewiseStream extends ByteArrayInputStream {
  private final IntSupplier lengths;

  PiecewiseStream(byte[] body, IntSupplier lengths) {
    super(body);
    this.lengths = lengths;
  }

  /** One piece up to there, then the rest. */
  static PiecewiseStream cutAt(byte[] body, int first) {
    int[] piece = {first, body.length};
    int[] next = {first == 0 ? 1 : 0};
    return new PiecewiseStream(body, () -> piece[Math.min(next[0]++, 1)]);
  }

  @Override
  public synchronized int read(byte[] into, int offset, int length) {
    return super.read(into, offset, Math.min(length, lengths.getAsInt()));
  }
}
