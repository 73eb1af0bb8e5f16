package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;

/** What kind of result a statement was made for; holdability 0 is the connection's. */
record Cursor(int type, int concurrency, int holdability) {
  static final Cursor FORWARD =
      new Cursor(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY, 0);

  /** An updatable result writes through its rows. */
  boolean isUpdatable() {
    return concurrency != ResultSet.CONCUR_READ_ONLY;
  }

  int holdabilityOn(Connection connection) throws SQLException {
    return holdability == 0 ? connection.getHoldability() : holdability;
  }
}
