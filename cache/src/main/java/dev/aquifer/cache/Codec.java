package dev.aquifer.cache;

import java.lang.reflect.Type;
import java.util.Arrays;

/**
 * Turns values into bytes and back, by the declared type of their cache. Implementations are
 * thread-safe and never load a class that bytes name.
 */
public interface Codec {
  /**
   * CBOR by Jackson, the default: records, classes by their fields, collections, maps, Optionals,
   * {@code java.time}, enums, sealed types. Types that could not be read back are refused when the
   * cache is made.
   */
  static Codec cbor() {
    return new CborCodec();
  }

  /** As {@link #cbor}, as JSON text, which can be read in Redis where it is not compressed. */
  static Codec json() {
    return new JsonCodec();
  }

  /** For values of type {@code byte[]}, stored as they are. Do not change an array afterwards. */
  static Codec bytes() {
    return new BytesCodec();
  }

  /** What bytes say they were written with, 0 to 255; 0 to 15 are Aquifer's own. */
  int id();

  /** The version of the format, 0 to 255. Bytes of another version are a miss. */
  int version();

  /**
   * A codec for one declared type.
   *
   * @throws dev.aquifer.ConfigurationException when values of the type could never be read back
   */
  ForType forType(Type type);

  /** Values of one type. Thread-safe. */
  interface ForType {
    /**
     * The value's bytes.
     *
     * @throws Exception when it cannot be encoded; the value is then served and not stored
     */
    byte[] encode(Object value) throws Exception;

    /**
     * The value of the bytes.
     *
     * @throws Exception when they are not one; that is a miss, and counted
     */
    Object decode(byte[] bytes) throws Exception;

    /**
     * As {@link #decode(byte[])}, of a part of the array; by default of a copy.
     *
     * @param from where the part begins
     * @param length how many bytes it has
     * @throws Exception when they are not one; that is a miss, and counted
     */
    default Object decode(byte[] bytes, int from, int length) throws Exception {
      return decode(Arrays.copyOfRange(bytes, from, from + length));
    }

    /**
     * What else the bytes depend on beside the codec's version and the shape of the type, like the
     * version of a library. Values that were stored under another text are not found.
     */
    default String schema() {
      return "";
    }
  }
}
