package dev.aquifer.cache;

import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/** JSON text: larger and slower than CBOR, and legible. */
final class JsonCodec extends JacksonCodec {
  JsonCodec() {
    super(2, JsonMapper.builder(JsonFactory.builder().recyclerPool(new JacksonBuffers()).build()));
  }
}
