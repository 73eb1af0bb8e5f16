package dev.aquifer.cache;

import java.lang.reflect.Type;

/** CBOR; something else happens before each value is written, and before each is read. */
final class InterruptedCodec implements Codec {
  private final CborCodec cbor = new CborCodec();
  private final Runnable writing;
  private final Runnable reading;

  InterruptedCodec(Runnable reading) {
    this(() -> {}, reading);
  }

  InterruptedCodec(Runnable writing, Runnable reading) {
    this.writing = writing;
    this.reading = reading;
  }

  @Override
  public int id() {
    return cbor.id();
  }

  @Override
  public int version() {
    return cbor.version();
  }

  @Override
  public ForType forType(Type type) {
    ForType plain = cbor.forType(type);
    return new ForType() {
      @Override
      public byte[] encode(Object value) throws Exception {
        writing.run();
        return plain.encode(value);
      }

      @Override
      public Object decode(byte[] bytes) throws Exception {
        reading.run();
        return plain.decode(bytes);
      }
    };
  }
}
