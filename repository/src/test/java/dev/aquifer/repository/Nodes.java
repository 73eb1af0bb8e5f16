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

  static String[] schema() {
    return new String[] {
      "create table flight (tenant text, id bigint, delay int, primary key (tenant, id))",
      "create view late as select tenant, id from flight where delay >= 100",
      "create table seat (tenant text, id bigint, flight bigint,"
          + " foreign key (tenant, flight) references flight on delete cascade)",
      "create table airport (tenant text, name text)",
      "create table gate (tenant text, id bigint)",
      "create table audit (tenant text, gate bigint)",
      "create function audit() returns trigger language plpgsql as"
          + " $$ begin insert into audit values (new.tenant, new.id); return new; end $$",
      "create trigger audit after insert on gate for each row execute function audit()",
    };
  }

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
