package dev.aquifer.bench;

import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.dataformat.cbor.CBORMapper;

/** The same bytes for every contender, so that what differs is the cache and not its codec. */
final class FlightBytes {
  private static final CBORMapper MAPPER = new CBORMapper();
  private static final ObjectWriter WRITER = MAPPER.writerFor(Flight.class);
  private static final ObjectReader READER = MAPPER.readerFor(Flight.class);

  private FlightBytes() {}

  static byte[] encode(Object flight) {
    return WRITER.writeValueAsBytes(flight);
  }

  static Flight decode(byte[] bytes) {
    return READER.readValue(bytes);
  }
}
