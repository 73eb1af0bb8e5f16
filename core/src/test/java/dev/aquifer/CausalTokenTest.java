package dev.aquifer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CausalTokenTest {
  private static final Position POSITION =
      new Position(-7_000_000_000_000_000_001L, 3, 0x16_B374_D848L);

  @Test
  void parse_ofItsOwnText() {
    CausalToken token = CausalToken.of(POSITION, Map.of("DFW:0", 42L, "*", 7L));

    CausalToken parsed = CausalToken.parse(token.toString());

    assertThat(parsed).isEqualTo(token);
    assertThat(parsed.position()).contains(POSITION);
    assertThat(parsed.sequences())
        .containsExactlyInAnyOrderEntriesOf(Map.of("DFW:0", 42L, "*", 7L));
  }

  @Test
  void parse_ofNothingWritten() {
    assertThat(CausalToken.parse(CausalToken.of(null, Map.of()).toString()).position()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "aq1",
        "aq2~",
        "aq1~1:0:1",
        "aq1~x:1:1",
        "aq1~1:1",
        "aq1~~",
        "aq1~~a",
        "aq1~~a=-1",
        "aq1~~a=1~a=2",
        "aq1~~a b=1",
        "aq1~1:1:1:1",
        "{\"json\":1}",
        "aq1~~=1",
        "aq1~~a=10000000000000000"
      })
  void parse_refusesGarbage(String text) {
    assertThatThrownBy(() -> CausalToken.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ausal token");
  }

  @Test
  void parse_refusesAnEndlessText() {
    assertThatThrownBy(() -> CausalToken.parse("aq1~~" + "a".repeat(1_000_000)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1,000,005");
  }

  @Test
  void parse_ofDamagedTextIsATokenOrRefused() {
    String text = CausalToken.of(POSITION, Map.of("DFW:0", 42L)).toString();
    Random random = new Random(1);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder damaged = new StringBuilder(text);
      damaged.setCharAt(random.nextInt(damaged.length()), (char) random.nextInt(256));
      try {
        assertThat(CausalToken.parse(CausalToken.parse(damaged.toString()).toString())).isNotNull();
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void toString_fitsAHeaderAndACookie() {
    assertThat(CausalToken.of(POSITION, Map.of("A.b_c-9:12", Long.MAX_VALUE)).toString())
        .matches("[!-~]+")
        .doesNotContain(",", ";", "\"", "\\", " ");
  }
}
