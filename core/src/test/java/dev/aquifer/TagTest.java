package dev.aquifer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TagTest {
  @Test
  void table_doesNotCountTheSchema() {
    assertThat(Tag.table("public.Flight"))
        .isEqualTo(Tag.table("flight"))
        .hasToString("table:flight");
  }

  @Test
  void of_kindAndId() {
    assertThat(Tag.of("flight", 42)).isEqualTo(Tag.of("flight:42"));
  }

  @Test
  void of_refusesWhatCannotBeAName() {
    assertThatThrownBy(() -> Tag.of("")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Tag.of("x".repeat(257))).hasMessageContaining("257");
    assertThatThrownBy(() -> Tag.of("a\nb")).hasMessageContaining("U+000A");
  }

  @Test
  void table_takesAnyNameThatCanBeQuoted() {
    assertThat(Tag.table("a\nb")).hasToString("table:a_b");
    assertThat(Tag.table("x".repeat(10_000)).name()).hasSize(Tag.MAX_LENGTH);
  }
}
