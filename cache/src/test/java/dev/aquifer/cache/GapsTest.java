package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GapsTest {
  @Test
  void contain_whatIsBetweenTheNumbersOfTwoServers() {
    Gaps gaps = Gaps.read("10:20 25:40");
    assertThat(gaps.contain(10)).isFalse();
    assertThat(gaps.contain(11)).isTrue();
    assertThat(gaps.contain(19)).isTrue();
    assertThat(gaps.contain(20)).isFalse();
    assertThat(gaps.contain(30)).isTrue();
    assertThat(Gaps.read("").contain(0)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"10", "10:20 30", "a:b", "10:20 ", " "})
  void read_somethingElse_isRefused(String text) {
    assertThatThrownBy(() -> Gaps.read(text)).isInstanceOf(NumberFormatException.class);
  }
}
