package dev.aquifer.tsquery;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The bytes that a fingerprint hashes: each part with its type and its length before it. */
final class Canonical {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Canonical text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.write('t');
    fixed(bytes.length);
    out.write(bytes, 0, bytes.length);
    return this;
  }

  Canonical number(long value) {
    out.write('n');
    fixed(value);
    return this;
  }

  Canonical real(double value) {
    out.write('d');
    fixed(Double.doubleToRawLongBits(value));
    return this;
  }

  /** A text, whole number, floating number or truth. */
  Canonical value(Object value) {
    if (value instanceof Long whole) {
      return number(whole);
    } else if (value instanceof Double real) {
      return real(real);
    } else if (value instanceof Boolean truth) {
      out.write('b');
      fixed(truth ? 1 : 0);
      return this;
    }
    return text((String) value);
  }

  /** SHA-256 in hexadecimal. */
  String digest() {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(out.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  private void fixed(long value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      out.write((int) (value >>> shift));
    }
  }
}
