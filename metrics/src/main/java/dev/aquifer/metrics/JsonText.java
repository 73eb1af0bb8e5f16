package dev.aquifer.metrics;

/**
 * Writes JSON. Text is escaped so that it stays text also inside of HTML or a script: names of
 * caches and nodes come from outside.
 */
final class JsonText {
  private final StringBuilder out = new StringBuilder();
  private boolean first = true;

  JsonText open(char bracket) {
    separate();
    out.append(bracket);
    first = true;
    return this;
  }

  JsonText close(char bracket) {
    out.append(bracket);
    first = false;
    return this;
  }

  JsonText name(String name) {
    separate();
    quote(name);
    out.append(':');
    first = true;
    return this;
  }

  JsonText text(String value) {
    separate();
    quote(value);
    return this;
  }

  /** What is no number, or not finite, is null. */
  JsonText number(double value) {
    separate();
    if (!Double.isFinite(value)) {
      out.append("null");
    } else if (value == Math.rint(value) && Math.abs(value) < 1e15) {
      out.append((long) value);
    } else {
      out.append(value);
    }
    return this;
  }

  JsonText bool(boolean value) {
    separate();
    out.append(value);
    return this;
  }

  private void separate() {
    if (!first) {
      out.append(',');
    }
    first = false;
  }

  private void quote(String value) {
    out.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      boolean plain = c >= ' ' && c < 0x7f && "\"\\<>&'".indexOf(c) < 0;
      if (plain) {
        out.append(c);
      } else {
        out.append("\\u%04x".formatted((int) c));
      }
    }
    out.append('"');
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
