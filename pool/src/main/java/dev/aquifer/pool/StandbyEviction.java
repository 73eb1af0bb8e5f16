package dev.aquifer.pool;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/**
 * Evicts the connection that was told "read-only transaction" (25006): behind it a primary has
 * become a standby, and HikariCP alone would hand the connection out again.
 *
 * <p>A transaction that was declared read-only gets the same answer; its connection is opened anew,
 * which costs little and happens to faulty programs only.
 *
 * <p>What driver or server do not have (0A000) says nothing about the connection: a program that
 * asks for it would lose its open transaction, where HikariCP alone evicts.
 */
final class StandbyEviction implements SQLExceptionOverride {
  @java.lang.Override
  public Override adjudicate(SQLException error) {
    return switch (String.valueOf(error.getSQLState())) {
      case "25006" -> Override.MUST_EVICT;
      case "0A000" -> Override.DO_NOT_EVICT;
      default -> Override.CONTINUE_EVICT;
    };
  }
}
