package dev.aquifer.pool;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/**
 * Evicts the connection that was told "read-only transaction" (25006): behind it a primary has
 * become a standby, and HikariCP alone would hand the connection out again.
 *
 * <p>A transaction that was declared read-only gets the same answer; its connection is opened anew,
 * which costs little and happens to faulty programs only.
 */
final class StandbyEviction implements SQLExceptionOverride {
  @java.lang.Override
  public Override adjudicate(SQLException error) {
    return "25006".equals(error.getSQLState()) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
  }
}
