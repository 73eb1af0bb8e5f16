package dev.aquifer.tsquery.flux;

/** What a message shows of a script: short, and without what a log would take for its own. */
final class Messages {
  private static final int SHOWN = 40;

  private Messages() {}

  static String shown(String text) {
    return shown(text, SHOWN);
  }

  static String shown(String text, int most) {
    String start = text.length() > most ? text.substring(0, most) + "…" : text;
    return start.replaceAll("[\\p{Cntrl}\\p{Cs}]", "?");
  }
}
