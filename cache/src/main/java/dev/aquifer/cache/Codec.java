package dev.aquifer.cache;

import java.lang.reflect.Type;

/**
 * Turns values into bytes and back, by the declared type of their cache. Implementations are
 * thread-safe and never load a class that bytes name.
 */
public interface Codec {
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
  }
}
