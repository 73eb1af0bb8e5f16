package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

@InfluxTest
class InfluxServerTest {
  @Test
  void write_thenQuery_returnsThePoint(InfluxDatabase database) {
    database.write("delay,tenant=DFW minutes=7i 1700000000000000000");
    assertThat(database.query("SELECT minutes FROM delay WHERE tenant = 'DFW'"))
        .contains("\"values\":[[1700000000000000000,7]]");
  }

  @Test
  void query_ofAnotherTenant_isEmpty(InfluxDatabase database) {
    database.write("delay,tenant=DFW minutes=7i 1700000000000000000");
    assertThat(database.query("SELECT minutes FROM delay WHERE tenant = 'ORD'"))
        .doesNotContain("values");
  }

  @Test
  void version_isOfItsKind(InfluxServer server) {
    assertThat(InfluxServer.Kind.of(server.version())).contains(server.kind());
    assertThat(server.url()).startsWith("http://");
  }

  @Test
  void write_ofDamagedLine_tellsTheServersAnswer(InfluxDatabase database) {
    assertThatThrownBy(() -> database.write("no point at all"))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining("400");
  }

  @Test
  void createDatabase_withAHostileName_isRefused(InfluxServer server) {
    assertThatThrownBy(() -> server.createDatabase("a\"; DROP DATABASE b"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
