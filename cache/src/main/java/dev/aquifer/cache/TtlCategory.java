package dev.aquifer.cache;

import java.time.Duration;

/** Kinds of values with a usual time to live, for those who want a name in place of a number. */
public enum TtlCategory {
  /** Who may do what, 5 minutes: a change should be noticed soon, whoever makes it. */
  PERMISSION(Duration.ofMinutes(5)),
  /** What another service answered, 5 minutes. */
  API_RESPONSE(Duration.ofMinutes(5)),
  /** What a search found, 5 minutes. */
  SEARCH(Duration.ofMinutes(5)),
  /** What a database query found, 10 minutes. */
  QUERY(Duration.ofMinutes(10)),
  /** Computed from many rows, 15 minutes. */
  REPORT(Duration.ofMinutes(15)),
  /** A user and what belongs to one, 30 minutes. */
  USER(Duration.ofMinutes(30)),
  /** A session, 30 minutes. */
  SESSION(Duration.ofMinutes(30)),
  /** A tenant's settings, 1 hour. */
  TENANT_SETTINGS(Duration.ofHours(1)),
  /** What hardly ever changes, such as a list of airports, 6 hours. */
  REFERENCE(Duration.ofHours(6)),
  /** Images and other files, 24 hours. */
  IMAGE(Duration.ofHours(24));

  private final Duration ttl;

  TtlCategory(Duration ttl) {
    this.ttl = ttl;
  }

  /** How long a value of the category is fresh. */
  public Duration ttl() {
    return ttl;
  }
}
