package dev.aquifer;

/**
 * Text from outside, made fit for a message: hostile input must not write lines of its own into a
 * log.
 */
final class Texts {
  private Texts() {}

  static String printable(String text, int most) {
    int length = Math.min(text.length(), most);
    StringBuilder shown = new StringBuilder(length + 1);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      shown.append(c >= ' ' && c < 127 ? c : '?');
    }
    return text.length() > most ? shown.append('…').toString() : shown.toString();
  }
}
