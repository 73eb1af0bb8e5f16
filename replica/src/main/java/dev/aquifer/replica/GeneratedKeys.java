package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Which generated keys a prepared statement gives back: none, all, or those columns. */
@SuppressWarnings("ArrayRecordComponent")
record GeneratedKeys(boolean wanted, int @Nullable [] indexes, String @Nullable [] names) {
  static final GeneratedKeys NONE = new GeneratedKeys(false, null, null);

  static GeneratedKeys of(int flag) {
    return flag == Statement.RETURN_GENERATED_KEYS ? new GeneratedKeys(true, null, null) : NONE;
  }

  PreparedStatement prepare(Connection connection, String sql) throws SQLException {
    if (indexes != null) {
      return connection.prepareStatement(sql, indexes);
    }
    return names != null
        ? connection.prepareStatement(sql, names)
        : connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS);
  }
}
