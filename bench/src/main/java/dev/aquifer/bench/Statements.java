package dev.aquifer.bench;

import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A statement as an application sends it. */
@State(Scope.Benchmark)
public class Statements {
  /** 250 characters, with a join, parameters, an aggregate and an order. */
  public static final String READ =
      "select f.carrier, a.name, count(*) as departures, avg(f.delay) as delayed from flight f "
          + "join airport a on a.code = f.origin where f.tenant = ? and f.day between ? and ? "
          + "and f.cancelled = false group by f.carrier, a.name order by delayed desc limit 20";

  /** Not a constant, so that nothing of it is worked out by the compiler. */
  public String sql = READ;
}
