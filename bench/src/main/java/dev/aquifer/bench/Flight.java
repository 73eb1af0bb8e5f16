package dev.aquifer.bench;

/** What is cached: a row as an application keeps it. */
public record Flight(long id, String carrier, String origin, String destination, int delay) {
  static Flight of(int id) {
    return new Flight(id, "AA" + id % 100, "DFW", "ORD", id % 90);
  }
}
