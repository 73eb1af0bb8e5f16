package dev.aquifer.cache;

import tools.jackson.dataformat.cbor.CBORFactory;
import tools.jackson.dataformat.cbor.CBORMapper;

/** CBOR: small, and exact for binary data and for numbers. */
final class CborCodec extends JacksonCodec {
  CborCodec() {
    super(1, CBORMapper.builder(CBORFactory.builder().recyclerPool(new JacksonBuffers()).build()));
  }
}
