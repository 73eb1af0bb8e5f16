package dev.aquifer.cache;

/**
 * How many bytes each of several pools may hold. Each is sure of its weight's part of the whole as
 * far as it wants it; what others leave of theirs goes to those that want more, by weight.
 */
final class MemoryLimits {
  private MemoryLimits() {}

  /** The part of the whole that this weight of all the weights is sure of. */
  static long part(long total, double weight, double all) {
    return all <= 0 ? total : (long) (total * Math.min(1, weight / all));
  }

  /**
   * The limits; together at most the total.
   *
   * @param weights 0 or more; where all are 0 the first gets everything
   * @param wanted how much each would hold if it could
   */
  static long[] of(long total, double[] weights, long[] wanted) {
    double all = sum(weights);
    long[] limits = new long[weights.length];
    if (all <= 0) {
      limits[0] = total;
      return limits;
    }
    long rest = total;
    for (int i = 0; i < limits.length; i++) {
      limits[i] = Math.min(part(total, weights[i], all), wanted[i]);
      rest -= limits[i];
    }
    // Each round satisfies somebody, or spends what is left.
    for (int round = 0; round <= limits.length && rest > 0; round++) {
      double hungry = 0;
      for (int i = 0; i < limits.length; i++) {
        hungry += limits[i] < wanted[i] ? weights[i] : 0;
      }
      if (hungry <= 0) {
        break;
      }
      rest -= lend(rest, hungry, limits, weights, wanted);
    }
    spread(rest, all, limits, weights);
    return limits;
  }

  private static long lend(
      long rest, double hungry, long[] limits, double[] weights, long[] wanted) {
    long lent = 0;
    for (int i = 0; i < limits.length; i++) {
      if (limits[i] < wanted[i]) {
        long more = Math.min(wanted[i] - limits[i], part(rest, weights[i], hungry));
        limits[i] += more;
        lent += more;
      }
    }
    return lent;
  }

  /** What nobody wants now makes room for what they will. */
  private static void spread(long rest, double all, long[] limits, double[] weights) {
    for (int i = 0; i < limits.length && rest > 0; i++) {
      limits[i] += part(rest, weights[i], all);
    }
  }

  private static double sum(double[] weights) {
    double sum = 0;
    for (double weight : weights) {
      sum += weight;
    }
    return sum;
  }
}
