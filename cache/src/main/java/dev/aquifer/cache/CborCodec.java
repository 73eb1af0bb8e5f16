package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.lang.reflect.Type;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.jsontype.BasicPolymorphicTypeValidator;
import tools.jackson.dataformat.cbor.CBORMapper;

/**
 * CBOR by Jackson, of the declared type only: default typing is off, and annotations that would let
 * bytes name a class are refused.
 */
final class CborCodec implements Codec {
  private final CBORMapper mapper =
      CBORMapper.builder()
          .polymorphicTypeValidator(BasicPolymorphicTypeValidator.builder().build())
          .build();

  @Override
  public int id() {
    return 1;
  }

  @Override
  public int version() {
    return 1;
  }

  @Override
  public ForType forType(Type type) {
    JavaType root;
    try {
      root = mapper.constructType(type);
    } catch (RuntimeException e) {
      throw new ConfigurationException(
          "Values of type %s cannot be encoded. Declare a record, a class or a collection of these."
              .formatted(type.getTypeName()),
          e);
    }
    ObjectWriter writer = mapper.writerFor(root);
    ObjectReader reader = mapper.readerFor(root);
    return new ForType() {
      @Override
      public byte[] encode(Object value) {
        return writer.writeValueAsBytes(value);
      }

      @Override
      public Object decode(byte[] bytes) {
        return reader.readValue(bytes);
      }
    };
  }
}
