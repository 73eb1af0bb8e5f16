package dev.aquifer.cache;

import java.lang.reflect.Type;

/** CBOR; something else happens before each value is read. */
final class InterruptedCodec implements Codec {
  private final CborCodec cbor = new CborCodec();
  private final Runnable before;

  InterruptedCodec(Runnable before) {
    this.before = before;
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
        return plain.encode(value);
      }

      @Override
      public Object decode(byte[] bytes) throws Exception {
        before.run();
        return plain.decode(bytes);
      }
    };
  }
}
