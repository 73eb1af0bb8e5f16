package dev.aquifer.tsquery;

import java.security.SecureRandom;
import java.util.List;

/**
 * The values of the grouping tags that a series has, in the order of the tags.
 *
 * <p>They were written by whoever writes points. Hashes of texts are known to all, and many values
 * can be made to have the same one; so a group has a hash that nobody can foresee.
 */
final class Group implements Comparable<Group> {
  private static final int SEED;
  private static final int FACTOR;

  static {
    SecureRandom random = new SecureRandom();
    SEED = random.nextInt();
    FACTOR = random.nextInt() | 1;
  }

  private final List<String> values;
  private final int hash;

  Group(List<String> values) {
    this.values = List.copyOf(values);
    int made = SEED;
    for (String value : this.values) {
      for (int i = 0; i < value.length(); i++) {
        made = mixed(made, value.charAt(i));
      }
      made = mixed(made, ~value.length());
    }
    this.hash = made;
  }

  private static int mixed(int hash, int next) {
    int product = (hash ^ next) * FACTOR;
    return product ^ (product >>> 15);
  }

  List<String> values() {
    return values;
  }

  @Override
  public int compareTo(Group other) {
    for (int i = 0; i < values.size(); i++) {
      int order = values.get(i).compareTo(other.values.get(i));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Group group && hash == group.hash && values.equals(group.values);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
