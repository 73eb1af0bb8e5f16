package dev.aquifer.tsquery;

import java.util.List;

/** Tag values that would end a literal, begin another, or mean something to some server. */
final class Hostile {
  static final List<String> VALUES =
      List.of(
          "plain",
          "two words",
          "comma,here",
          "equals=sign",
          "it's",
          "''",
          "say \"hi\"",
          "back\\slash",
          "back\\\\slash",
          "end\\",
          "dollar$",
          "$p0",
          "${tenant}",
          "x\" or exists r.tenant) //",
          "x' OR '1'='1",
          "x' OR \"tenant\" =~ /.*/ OR 'a'='a",
          "'; DROP TABLE vitals; --",
          "\\' OR 1=1 --",
          "/re.*x/",
          "?",
          ":name",
          "%41",
          "null",
          "<nil>",
          "-1",
          "true",
          "1h",
          "ünï",
          "☃",
          "a\u200bb",
          "𝔘",
          "e\u0301",
          "\u00e9",
          "PLAIN");

  private Hostile() {}
}
