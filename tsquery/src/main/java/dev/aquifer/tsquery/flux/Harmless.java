package dev.aquifer.tsquery.flux;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a confined script may use: of Flux's own names those that only compute from what they are
 * given, and packages of such names. All else is refused, so that what a later server adds is
 * refused, too.
 */
final class Harmless {
  private static final Set<String> NAMES =
      words(
          """
          aggregateWindow bool bottom bytes chandeMomentumOscillator columns contains count cov
          covariance cumulativeSum derivative die difference display distinct doubleEMA drop
          duplicate duration elapsed exponentialMovingAverage false fill filter findColumn
          findRecord first float getColumn getRecord group highestAverage highestCurrent
          highestMax histogram histogramQuantile holtWinters hourSelection increase inf int
          integral join kaufmansAMA kaufmansER keep keyValues keys last length limit linearBins
          logarithmicBins lowestAverage lowestCurrent lowestMin map max mean median min mode
          movingAverage now params pearsonr pivot quantile range reduce relativeStrengthIndex
          rename sample set skew sort spread stateCount stateDuration stateTracking stddev string
          sum tableFind tail time timedMovingAverage timeShift timeWeightedAvg toBool today
          toFloat toInt top toString toTime toUInt tripleEMA tripleExponentialDerivative true
          truncateTimeColumn uint union unique window yield""");

  /** Path to the names in it that may be used; an empty set stands for all. */
  private static final Map<String, Set<String>> PACKAGES =
      Map.ofEntries(
          Map.entry("array", Set.of()),
          Map.entry("bitwise", Set.of()),
          Map.entry("date", Set.of()),
          Map.entry("date/boundaries", Set.of()),
          Map.entry("dict", Set.of()),
          Map.entry("generate", Set.of()),
          Map.entry("influxdata/influxdb/schema", Set.of("fieldsAsCols")),
          Map.entry("interpolate", Set.of()),
          Map.entry("join", Set.of()),
          Map.entry("json", Set.of()),
          Map.entry("math", Set.of()),
          Map.entry("regexp", Set.of()),
          Map.entry("strings", Set.of()),
          Map.entry("system", Set.of()),
          Map.entry("timezone", Set.of()),
          Map.entry("types", Set.of()));

  /** What the guard itself is written with, and what must never be taken for something else. */
  private static final Set<String> RESERVED = words("from range filter params buckets to");

  private Harmless() {}

  static boolean name(String name) {
    return NAMES.contains(name);
  }

  static boolean packagePath(String path) {
    return PACKAGES.containsKey(path);
  }

  static boolean member(String path, String name) {
    Set<String> allowed = PACKAGES.get(path);
    return allowed != null && (allowed.isEmpty() || allowed.contains(name));
  }

  static boolean reserved(String name) {
    return RESERVED.contains(name);
  }

  private static Set<String> words(String words) {
    return Arrays.stream(words.split("\\s+")).collect(Collectors.toUnmodifiableSet());
  }
}
