package dev.aquifer.cache;

import java.lang.reflect.Type;
import java.util.HexFormat;

/** How the values of one cache become bytes, and what names the shape of their type. */
final class Values {
  final Codec codec;
  final Codec.ForType bytes;
  final int format;

  /**
   * Twelve hexadecimal digits: of type, codec and format, each of which another one's differs in.
   */
  final String schema;

  Values(Type type, Codec codec, int format) {
    this.codec = codec;
    this.bytes = codec.forType(type);
    this.format = format;
    String all =
        "%s|%d|%d|%d|%s"
            .formatted(Schema.of(type), codec.id(), codec.version(), format, bytes.schema());
    this.schema = HexFormat.of().formatHex(KeyText.sha256(all), 0, 6);
  }

  /**
   * The value of a payload.
   *
   * @throws Exception when it is none; no payload makes it throw an error
   */
  Object decode(byte[] payload) throws Exception {
    return decode(payload, 0, payload.length);
  }

  /** As {@link #decode(byte[])}, of a part of the array. */
  Object decode(byte[] payload, int from, int length) throws Exception {
    Object value;
    try {
      value =
          from == 0 && length == payload.length
              ? bytes.decode(payload)
              : bytes.decode(payload, from, length);
    } catch (StackOverflowError | LinkageError | AssertionError e) {
      throw new IllegalStateException("A payload that the codec fails at", e);
    }
    if (value == null) {
      throw new IllegalStateException("A payload of no value");
    }
    return value;
  }
}
