package dev.aquifer.tsquery.flux;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * A text's characters and the bytes of its hexadecimal escapes, which may be parts of characters.
 */
final class TextDecoder {
  private final StringBuilder chars = new StringBuilder();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private boolean broken;

  void add(char c) {
    flush();
    chars.append(c);
  }

  void addByte(int value) {
    bytes.write(value);
  }

  String text(Place place) {
    flush();
    if (broken) {
      throw new RefusedScriptException("the bytes of a text are not UTF-8", place);
    }
    return chars.toString();
  }

  private void flush() {
    if (bytes.size() == 0) {
      return;
    }
    try {
      chars.append(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())));
    } catch (CharacterCodingException e) {
      broken = true;
    }
    bytes.reset();
  }
}
