package dev.aquifer.testkit;

/**
 * A database of an {@link InfluxServer}; in 2.x a bucket.
 *
 * @param server the server that holds it
 * @param name its name
 */
public record InfluxDatabase(InfluxServer server, String name) {
  /** Writes points; see {@link InfluxServer#write}. */
  public void write(String lineProtocol) {
    server.write(name, lineProtocol);
  }

  /** Sends InfluxQL that reads; see {@link InfluxServer#query}. */
  public String query(String influxQl) {
    return server.query(name, influxQl);
  }

  /** Drops it with its data. */
  public void drop() {
    server.dropDatabase(name);
  }
}
