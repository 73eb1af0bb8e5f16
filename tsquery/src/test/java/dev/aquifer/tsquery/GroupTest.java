package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GroupTest {
  /** Texts of "Aa" and "BB" have one hash, whoever writes them. */
  @Test
  void hashCode_ofTextsWithEqualHashes_differs() {
    List<Group> groups =
        IntStream.range(0, 4_096).mapToObj(i -> new Group(List.of(colliding(i, 12)))).toList();

    assertThat(groups.stream().map(each -> each.values().hashCode()).distinct()).hasSize(1);
    assertThat(groups.stream().map(Group::hashCode).distinct()).hasSizeGreaterThan(4_000);
    assertThat(groups).doesNotHaveDuplicates();
  }

  @Test
  void equals_ofTheSameValues_holds() {
    Group one = new Group(List.of("icu", "d1"));

    assertThat(one).isEqualTo(new Group(List.of("icu", "d1"))).hasToString("[icu, d1]");
    assertThat(one).hasSameHashCodeAs(new Group(List.of("icu", "d1")));
    assertThat(one).isNotEqualTo(new Group(List.of("icud", "1")));
    assertThat(one).isNotEqualTo(new Group(List.of("icu")));
  }

  @Test
  void compareTo_goesByTheFirstValueThatDiffers() {
    Group first = new Group(List.of("a", "z"));
    Group second = new Group(List.of("b", "a"));
    Group third = new Group(List.of("b", "b"));

    assertThat(new TreeSet<>(List.of(third, first, second))).containsExactly(first, second, third);
  }

  private static String colliding(int number, int digits) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < digits; i++) {
      text.append((number >> i & 1) == 0 ? "Aa" : "BB");
    }
    return text.toString();
  }
}
