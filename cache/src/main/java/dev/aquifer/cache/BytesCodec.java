package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.lang.reflect.Type;

/** Byte arrays as they are. Not copied: like all values they are shared, and not to be changed. */
final class BytesCodec implements Codec, Codec.ForType {
  @Override
  public int id() {
    return 4;
  }

  @Override
  public int version() {
    return 1;
  }

  @Override
  public ForType forType(Type type) {
    if (type != byte[].class) {
      throw new ConfigurationException(
          "Codec.bytes() is for values of type byte[], not %s. Use Codec.cbor() for these."
              .formatted(type.getTypeName()));
    }
    return this;
  }

  @Override
  public byte[] encode(Object value) {
    return (byte[]) value;
  }

  @Override
  public Object decode(byte[] bytes) {
    return bytes;
  }
}
