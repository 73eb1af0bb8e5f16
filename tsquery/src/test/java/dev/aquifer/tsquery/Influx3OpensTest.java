package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.ConfigurationException;
import dev.aquifer.testkit.ChildJvm;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A JVM that was started without Arrow's option is told it when the backend is built. */
class Influx3OpensTest {
  @Test
  void build_withoutTheOption_saysHowToStartJava() {
    assertThat(said(List.of())).contains("--add-opens=java.base/java.nio=ALL-UNNAMED");
    assertThat(said(List.of("--add-opens=java.base/java.nio=ALL-UNNAMED"))).isEqualTo("nothing");
  }

  private static String said(List<String> options) {
    try (ChildJvm jvm = ChildJvm.start(options, Program.class)) {
      return jvm.await("said");
    }
  }

  /** Builds a backend, and closes it. */
  static final class Program {
    public static void main(String[] arguments) {
      String said = "nothing";
      try {
        Influx3Backend.builder("http://127.0.0.1:1", "clinic").build().close();
      } catch (ConfigurationException e) {
        said = String.valueOf(e.getMessage());
      }
      System.out.println("said=" + said);
    }
  }
}
