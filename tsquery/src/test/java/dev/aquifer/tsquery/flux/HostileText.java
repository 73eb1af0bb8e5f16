package dev.aquifer.tsquery.flux;

import java.util.random.RandomGenerator;

/** Texts made of what means something to a scanner, in any order. */
public final class HostileText {
  private static final String[] PIECES = {
    "\"",
    "\\",
    "\\\"",
    "$",
    "${",
    "}",
    "$$",
    "$\\",
    "\\x",
    "\\x22",
    "\\n",
    "/",
    "//",
    "\\/",
    "|>",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "'",
    "(",
    ")",
    "[",
    "]",
    "{",
    ",",
    ":",
    "=",
    "==",
    "=>",
    "<-",
    " ",
    " or ",
    " and ",
    "exists r.tenant",
    "r[\"tenant\"]",
    "filter(fn: (r) => true)",
    "1h",
    "2026-03-01",
    "-1",
    "a",
    "Z",
    "0",
    "_",
    "ünï",
    "☃",
    "𝔘",
    "e\u0301",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\u2028",
    "\u007f",
    "\u0080",
    "--",
    ";",
    "/*",
    "*/",
    "`",
    "%41",
    "&#34;",
    "@a"
  };

  private HostileText() {}

  /** One of them; may be empty. */
  public static String of(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(9); i > 0; i--) {
      switch (random.nextInt(8)) {
        case 0 -> text.append((char) random.nextInt(1, 0x7f));
        case 1 -> text.appendCodePoint(random.nextInt(0xe000, 0x11_0000));
        default -> text.append(PIECES[random.nextInt(PIECES.length)]);
      }
    }
    return text.toString();
  }
}
