package dev.aquifer.cache;

import tools.jackson.databind.json.JsonMapper;

/** JSON text: larger and slower than CBOR, and legible. */
final class JsonCodec extends JacksonCodec {
  JsonCodec() {
    super(2, JsonMapper.builder());
  }
}
