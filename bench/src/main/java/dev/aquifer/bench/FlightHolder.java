package dev.aquifer.bench;

import com.alicp.jetcache.CacheValueHolder;
import java.nio.ByteBuffer;

/** JetCache's envelope around a value: when it was written, when it expires, the value. */
final class FlightHolder {
  private static final int HEAD = 2 * Long.BYTES;

  private FlightHolder() {}

  static byte[] encode(Object holder) {
    CacheValueHolder<?> value = (CacheValueHolder<?>) holder;
    byte[] body = FlightBytes.encode(value.getValue());
    return ByteBuffer.allocate(HEAD + body.length)
        .putLong(value.getAccessTime())
        .putLong(value.getExpireTime())
        .put(body)
        .array();
  }

  static Object decode(byte[] bytes) {
    ByteBuffer head = ByteBuffer.wrap(bytes);
    CacheValueHolder<Flight> value = new CacheValueHolder<>();
    value.setAccessTime(head.getLong());
    value.setExpireTime(head.getLong());
    byte[] body = new byte[head.remaining()];
    head.get(body);
    value.setValue(FlightBytes.decode(body));
    return value;
  }
}
