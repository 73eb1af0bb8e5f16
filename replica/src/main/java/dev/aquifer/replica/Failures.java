package dev.aquifer.replica;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;

/** What an error of a node means for routing, by its SQLSTATE. */
final class Failures {
  private Failures() {}

  /** The connection, or the server behind it, is gone: nobody knows what it still did. */
  static boolean isConnectionLost(SQLException error) {
    String state = state(error);
    return (state.startsWith("08") && !isRefusedMessage(error))
        || isGivenUp(error)
        || state.equals("57P01")
        || state.equals("57P02")
        || state.equals("57P03")
        || state.equals("57P05")
        // PostgreSQL's driver says so of an object whose connection was cut off.
        || (state.equals("55000") && message(error).contains("closed"));
  }

  /** HikariCP's words for a connection that it has given up before: nothing was sent. */
  static boolean isGivenUp(SQLException error) {
    return state(error).isEmpty() && message(error).equals("Connection is closed");
  }

  /** The server took a message for wrong, such as a text with a zero in it, and is well. */
  private static boolean isRefusedMessage(SQLException error) {
    return state(error).equals("08P01")
        && error instanceof PSQLException said
        && said.getServerErrorMessage() != null;
  }

  /** No connection was to be had; nothing was sent. */
  static boolean isPoolTimeout(SQLException error) {
    return error instanceof SQLTransientConnectionException
        && message(error).contains("request timed out");
  }

  /** A standby refused what only a primary can do; nothing was done. */
  static boolean isRefusedByStandby(SQLException error) {
    String message = message(error);
    return state(error).equals("25006")
        || message.contains("during recovery")
        || message.contains("recovery is in progress");
  }

  /** The standby cancelled the query because replay needed what it was reading. */
  static boolean isRecoveryConflict(SQLException error) {
    return state(error).equals("40001") || state(error).equals("40P01");
  }

  /** The password, the database or the right to connect is wrong: retries do not help. */
  static boolean isRefusedLogin(@Nullable SQLException error) {
    return error != null && (state(error).startsWith("28") || state(error).equals("3D000"));
  }

  /** A wait in vain for a connection to a node that does not answer; nothing was sent. */
  static SQLException silent(Node node, SQLException timeout) {
    return new SQLTransientConnectionException(
        "%s does not answer: %s".formatted(node, timeout.getMessage()), "08001", timeout);
  }

  static SQLException transactionLost(Node node, SQLException cause) {
    return new SQLTransientConnectionException(
        "The transaction on %s was lost with its connection; nothing of it was committed. Begin it again: %s"
            .formatted(node, cause.getMessage()),
        "08006",
        cause);
  }

  static SQLException unknownOutcome(Node node, SQLException cause) {
    return new SQLNonTransientConnectionException(
        "The connection to %s was lost during COMMIT; whether the transaction was committed is unknown. Look before it is run again: %s"
            .formatted(node, cause.getMessage()),
        "08007",
        cause);
  }

  private static String message(SQLException error) {
    return String.valueOf(error.getMessage());
  }

  private static String state(SQLException error) {
    String state = error.getSQLState();
    return state == null ? "" : state;
  }
}
