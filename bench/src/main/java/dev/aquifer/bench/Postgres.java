package dev.aquifer.bench;

import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.TestDatabase;

/** A real primary with one real standby, for as long as a contender is measured. */
abstract class Postgres {
  static final int POOL = 8;

  PostgresCluster cluster;
  TestDatabase database;

  void startServers() {
    cluster = PostgresCluster.builder().standbys(1).start();
    database = cluster.createDatabase("bench");
  }

  void stopServers() {
    cluster.close();
  }
}
