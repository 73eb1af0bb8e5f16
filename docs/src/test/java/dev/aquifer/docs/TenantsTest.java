package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.InvalidTenantException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class TenantsTest {
  @Test
  void tenant() throws Exception {
    // snippet: tenant
    Tenant airport = Tenant.of("DFW");
    String current =
        airport.call(() -> TenantContext.require().id()); // DFW, for the length of the call
    // end
    assertThat(current).isEqualTo("DFW");
    assertThatThrownBy(() -> Tenant.of("DFW:{0}")).isInstanceOf(InvalidTenantException.class);
  }

  @Test
  void threads() throws Exception {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      Tenant.of("DFW")
          .call(
              () -> {
                // snippet: tenant-threads
                Callable<String> work = TenantContext.wrap(() -> TenantContext.require().id());
                String seen = executor.submit(work).get(); // DFW
                // end
                return assertThat(seen).isEqualTo("DFW");
              });
    } finally {
      executor.shutdown();
    }
  }
}
