package dev.aquifer.tsquery;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.LongConsumer;

/** Tells how many bytes are read, as they are read. Used by one thread. */
final class CountedStream extends FilterInputStream {
  private final LongConsumer read;

  CountedStream(InputStream from, LongConsumer read) {
    super(from);
    this.read = read;
  }

  @Override
  public int read() throws IOException {
    int one = super.read();
    if (one >= 0) {
      read.accept(1);
    }
    return one;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    int count = super.read(into, offset, length);
    if (count > 0) {
      read.accept(count);
    }
    return count;
  }

  @Override
  public long skip(long most) throws IOException {
    long count = super.skip(most);
    read.accept(count);
    return count;
  }

  /** What is read twice would count twice. */
  @Override
  public boolean markSupported() {
    return false;
  }
}
