package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.metrics.MetricsPage;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.PostgresExtension;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.LongAdder;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class MetricsTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema("create table flight (id bigint primary key, tenant text, delay int)");

  public interface Departures {
    @SqlQuery("select count(*) from flight where tenant = :tenant")
    @Cached
    int count();
  }

  @Test
  void metrics() throws Exception {
    String primary = POSTGRES.database().url();
    String replica = POSTGRES.database().standbyUrls().get(0);
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();

    // snippet: metrics
    MeterRegistry registry = new SimpleMeterRegistry(); // or the one that your application has
    LongAdder misses = new LongAdder();
    Observer own =
        new Observer() {
          @Override
          public void cacheAnswered(String cache, Tenant tenant, Tier tier) {
            if (tier == Tier.SOURCE) {
              misses.increment();
            }
          }
        };
    Aquifer aquifer =
        Aquifer.builder()
            .primary(primary)
            .replica(replica)
            .credentials(user, password)
            .meterRegistry(registry, meters -> meters.tag("instance", "a").topTenants(50))
            .observer(own)
            .build();
    MetricsPage page = MetricsPage.of(registry);
    String open = page.url(); // http://127.0.0.1:…/?token=…
    // end
    try (aquifer;
        page) {
      Departures departures = aquifer.repository(Departures.class);
      for (int i = 0; i < 3; i++) {
        assertThat(Tenant.of("DFW").call(departures::count)).isZero();
      }
      assertThat(misses.sum()).isEqualTo(1);
      assertThat(registry.get("cache.gets").tag("tier", "l1").counter().count()).isEqualTo(2);
      HttpRequest request = HttpRequest.newBuilder(URI.create(open)).build();
      assertThat(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).statusCode())
          .isEqualTo(200);
      // The page names every meter of ours that there is.
      String manual = Files.readString(Path.of("metrics.md"));
      assertThat(registry.getMeters())
          .extracting(meter -> meter.getId().getName())
          .contains("aquifer.routes", "aquifer.replica.lag")
          .allSatisfy(name -> assertThat(manual).contains("`" + name + "`"));
    }
  }
}
