package dev.aquifer.repository;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.TestDatabase;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Nodes over the servers of a test, and tenants that no other test has. */
final class Nodes {
  private static final AtomicInteger TENANTS = new AtomicInteger();

  private Nodes() {}

  static AquiferBuilder on(TestDatabase database) {
    return Aquifer.builder()
        .primary(database.url())
        .credentials(database.user(), database.password());
  }

  static AquiferBuilder on(TestDatabase database, RedisDatabase redis) {
    return on(database).redis(redis.uri().toString());
  }

  /** A tenant with one flight, which has this delay. */
  static Tenant tenant(Book book, long id, int delay) {
    Tenant tenant = Tenant.of("t" + TENANTS.incrementAndGet());
    tenant.run(() -> book.add(List.of(new Book.Flight(id, delay))));
    return tenant;
  }
}
