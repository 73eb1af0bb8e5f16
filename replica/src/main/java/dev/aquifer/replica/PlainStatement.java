package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** A statement whose text comes with each execution. */
final class PlainStatement extends RoutedStatement<Statement> {
  PlainStatement(RoutedConnection connection, Cursor cursor) {
    super(connection, cursor);
  }

  @Override
  Statement create(Connection server) throws SQLException {
    return server.createStatement(
        cursor.type(), cursor.concurrency(), cursor.holdabilityOn(server));
  }
}
