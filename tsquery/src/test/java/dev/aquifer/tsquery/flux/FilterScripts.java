package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Random scripts of filters, of all shapes that are one to a rewrite. */
final class FilterScripts {
  private static final String DEFINED =
      "import \"strings\" x = \"d\" negative = -5.0 isD1 = (r) => r.device == \"d1\" "
          + "lo = uint(v: 5) all = true some = (tables=<-, how) => if how == \"few\" then"
          + " tables |> limit(n: 2) else tables |> limit(n: 3) ";

  private static final String READ =
      "from(bucket: \"b\") |> range(start: 2026-03-01T00:00:00Z, stop: 2026-04-05T00:00:00Z)";

  private static final String[] PARTS = {
    "r.tenant == \"t1\"",
    "\"t1\" == r.tenant",
    "\"t1\" != r.tenant",
    "r.ward != \"icu\"",
    "\"icu\" != r.ward",
    "r.ward =~ /i*/",
    "r.ward =~ /icu|er/",
    "r.ward =~ /(i|)/",
    "r.ward !~ /^i/",
    "not (r.ward == \"icu\")",
    "not (r.ward != \"icu\")",
    "not (r.ward =~ /ic/)",
    "not (r.ward !~ /ic/)",
    "not (\"icu\" == r.ward)",
    "exists r.ward",
    "not exists r.ward",
    "contains(value: r.ward, set: [\"icu\", \"none\"])",
    "contains(value: r.ward, set: [x, \"er\"])",
    "not contains(value: r.ward, set: [\"icu\", \"none\"])",
    "not contains(value: r._field, set: [\"g\"])",
    "contains(value: r._value, set: [1.0, 5.0])",
    "not contains(value: r._value, set: [1.0, 5.0])",
    "strings.hasPrefix(v: r.device, prefix: \"d\")",
    "strings.hasPrefix(v: r.device, prefix: \"d1\")",
    "r.device == \"d\" + \"1\"",
    "r.device != \"${x}1\"",
    "isD1(r: r)",
    "not isD1(r: r)",
    "(r.ward == \"icu\" or \"d2\" == r.device)",
    "(contains(value: r.ward, set: [\"er\"]) or r.ward != \"icu\")",
    "(not exists r.ward or r._value > 4)",
    "(if r.device == \"d1\" then true else false)",
    "(if r.ward == \"icu\" then false else true)",
    "r.ward == \"\"",
    "r.ward != \"\"",
    "\"f\" != r._field",
    "r._value > 5.0",
    "5.0 >= r._value",
    "not (r._value < 5.0)",
    "(5.0 == r._value or r.ward =~ /e?/)",
    "r._value > negative",
    "r._time >= 2026-02-01T00:00:00Z",
  };

  /** Of these only a server knows who evaluates them, or what they mean. */
  private static final String[] SERVERS = {
    "r._value > lo",
    "not (r._value > lo)",
    "all",
    "(r.ward == \"icu\" or true)",
    "(r.ward == \"icu\" or all)",
    "r._time < 2500-01-01T00:00:00Z",
    "r._time > 1500-01-01T00:00:00Z",
    "r._time != time(v: \"2026-03-01T00:00:00Z\")",
  };

  private FilterScripts() {}

  /**
   * One read, whose filters stand in its pipe.
   *
   * @param asked whether a server will tell what the script means
   */
  static String own(RandomGenerator random, boolean asked, String tail) {
    StringBuilder text = new StringBuilder(DEFINED).append(READ);
    filters(random, asked, random.nextInt(1, 5), text);
    return text.append(tail).toString();
  }

  /** One read in a variable, with a use for each tail. */
  static String shared(RandomGenerator random, boolean asked, List<String> tails) {
    StringBuilder text = new StringBuilder(DEFINED).append("data = ").append(READ);
    filters(random, asked, random.nextInt(3), text);
    for (String tail : tails) {
      text.append(" data");
      filters(random, asked, random.nextInt(3), text);
      text.append(tail);
    }
    return text.toString();
  }

  private static void filters(RandomGenerator random, boolean asked, int many, StringBuilder text) {
    for (int i = many; i > 0; i--) {
      List<String> parts = new ArrayList<>();
      for (int j = random.nextInt(1, 4); j > 0; j--) {
        String[] all = asked && random.nextInt(6) == 0 ? SERVERS : PARTS;
        parts.add(all[random.nextInt(all.length)]);
      }
      String predicate = "(r) => " + String.join(" and ", parts);
      if (random.nextInt(8) == 0) {
        predicate = predicate.replace("(r)", "(q)").replace("r: r", "r: q").replace("r.", "q.");
      }
      text.append(" |> filter(fn: ").append(predicate).append(')');
    }
  }
}
