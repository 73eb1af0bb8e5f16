package dev.aquifer.repository;

import dev.aquifer.cache.Cached;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.sqlobject.customizer.BindMethods;
import org.jdbi.v3.sqlobject.statement.SqlBatch;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.jdbi.v3.sqlobject.transaction.Transaction;

/** A repository with one method of every kind, over {@link Nodes#schema}. */
interface Book {
  /** A row of flight. */
  record Flight(long id, int delay) {}

  @SqlQuery("select id, delay from flight where tenant = :tenant and id = :id")
  @Cached
  Optional<Flight> byId(long id);

  @SqlQuery("select count(*) from late where tenant = :tenant")
  @Cached
  int late();

  @SqlQuery("select count(*) from seat where tenant = :tenant")
  @Cached
  int seats();

  @SqlQuery("select count(*) from audit where tenant = :tenant")
  @Cached
  int audited();

  @SqlQuery("select name from airport where tenant = :tenant and name = :name")
  @Cached
  Optional<String> airport(String name);

  @SqlUpdate("insert into airport values (:tenant, :name)")
  int addAirport(String name);

  @SqlBatch("insert into flight (tenant, id, delay) values (:tenant, :id, :delay)")
  @BindTenant
  int[] add(@BindMethods List<Flight> flights);

  @SqlUpdate("update flight set delay = :delay where tenant = :tenant and id = :id")
  int delay(long id, int delay);

  @SqlUpdate("delete from flight where tenant = :tenant and id = :id")
  int cancel(long id);

  @SqlUpdate("insert into seat values (:tenant, :id, :flight)")
  int addSeat(long id, long flight);

  @SqlUpdate("insert into gate values (:tenant, :id)")
  int openGate(long id);

  @SqlUpdate("update flight set delay = :delay where id = :id")
  @CrossTenant
  int delayEverywhere(long id, int delay);

  default int delayEverywhereByDefault(long id, int delay) {
    return delayEverywhere(id, delay);
  }

  @Transaction
  default int delayAndRead(long id, int delay) {
    delay(id, delay);
    return byId(id).orElseThrow().delay();
  }

  @Transaction
  default int delayAndFail(long id, int delay) {
    delay(id, delay);
    throw new IllegalStateException("after " + byId(id).orElseThrow().delay());
  }
}
