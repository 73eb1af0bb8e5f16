package dev.aquifer.tsquery.encounter;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Ids of detected encounters: the values of the group tags in the tags' order, with slashes between
 * them, then {@code @} and the start. Of no tags the measurement stands for them. Characters that
 * mean something in it, and control characters, are written as {@code %} and two hexadecimal
 * digits, so that different groups have different keys; one of more than 200 characters is its
 * SHA-256.
 */
final class GroupKey {
  private static final int LONGEST = 200;

  private GroupKey() {}

  static String of(Detection detection, Map<String, String> group) {
    String key =
        detection.groupBy().isEmpty()
            ? escaped(detection.measurement())
            : detection.groupBy().stream()
                .map(tag -> escaped(group.getOrDefault(tag, "")))
                .collect(Collectors.joining("/"));
    return key.length() > LONGEST ? "sha256:" + HexFormat.of().formatHex(sha256(key)) : key;
  }

  static String id(String key, Instant start) {
    return key + "@" + start;
  }

  /** The group that an id is of; null when it is of none. */
  static @Nullable String ofId(String id) {
    int at = id.lastIndexOf('@');
    return at < 0 ? null : id.substring(0, at);
  }

  private static String escaped(String value) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '%' || c == '/' || c == '@' || Character.isISOControl(c)) {
        text.append('%').append(HexFormat.of().toHexDigits((byte) c));
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
