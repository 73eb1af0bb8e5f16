package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import com.influxdb.client.InfluxDBClientFactory;
import com.influxdb.v3.client.InfluxDBClient;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What backends of InfluxDB say that they read. Nothing is asked. */
class InfluxSourceTest {
  private static final String URL = "http://127.0.0.1:8086";

  @Test
  void source_ofDifferentPoints_differs() throws Exception {
    List<@Nullable String> all = new ArrayList<>();
    for (String url : List.of(URL, "http://127.0.0.1:8087", URL + "/behind")) {
      all.add(source(FluxBackend.builder(url, "o", "b").build()));
      all.add(source(InfluxQlBackend.builder(url, "b").build()));
    }
    all.add(source(FluxBackend.builder(URL, "p", "b").build()));
    all.add(source(FluxBackend.builder(URL, "o", "c").build()));
    all.add(source(InfluxQlBackend.builder(URL, "c").build()));
    all.add(source(InfluxQlBackend.builder(URL, "b").retentionPolicy("week").build()));

    assertThat(new HashSet<>(all)).hasSameSizeAs(all).doesNotContainNull();
  }

  @Test
  void source_ofTheSame_isTheSameWhateverItIsCalled() throws Exception {
    assertThat(source(FluxBackend.builder(URL, "o", "b").name("other").build()))
        .isEqualTo(source(FluxBackend.builder(URL, "o", "b").build()));
  }

  @Test
  void source_ofGivenClients_isWhereTheyAsk() throws Exception {
    assertThat(over(URL, "o", "b"))
        .isNotNull()
        .isEqualTo(over(URL, "o", "b"))
        .isNotEqualTo(over("http://127.0.0.1:8087", "o", "b"))
        .isNotEqualTo(over(URL, "p", "b"))
        .isNotEqualTo(over(URL, "o", "c"));
  }

  @Test
  void source_ofClientThatDoesNotTellItsAddress_isKnownByNameAlone() throws Exception {
    InfluxDBClient client =
        InfluxDBClient.getInstance("http://127.0.0.1:8181", "token".toCharArray(), "b");
    try {
      assertThat(source(Influx3Backend.builder(client, "b").build())).isNull();
      assertThat(source(Influx3Backend.builder(client, "b").name("wards").build()))
          .isEqualTo("wards");
    } finally {
      client.close();
    }
  }

  private static @Nullable String over(String url, String org, String bucket) {
    try (var client = InfluxDBClientFactory.create(url, "token".toCharArray())) {
      return source(InfluxClientBackend.builder(client, org, bucket).build());
    }
  }

  private static @Nullable String source(Backend made) {
    try (made) {
      return made.source("vitals");
    }
  }
}
