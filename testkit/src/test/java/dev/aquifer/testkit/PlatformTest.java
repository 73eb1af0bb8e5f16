package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, Linux, x86_64",
    "Linux, aarch64, Linux, aarch64",
    "Mac OS X, x86_64, Darwin, x86_64",
    "Mac OS X, aarch64, Darwin, aarch64"
  })
  void of_supported_isKnown(String name, String architecture, String system, String hardware) {
    assertThat(Platform.of(name, architecture)).isEqualTo(new Platform(system, hardware));
  }

  @ParameterizedTest
  @CsvSource({"Windows 11, amd64", "Linux, s390x", "SunOS, sparcv9"})
  void of_unsupported_namesWhatItIsAndWhatToDo(String name, String architecture) {
    assertThatThrownBy(() -> Platform.of(name, architecture))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining(name + ", " + architecture)
        .hasMessageContaining("container");
  }

  @Test
  void current_isSupported() {
    assertThat(Platform.current().system()).isIn("Linux", "Darwin");
  }
}
