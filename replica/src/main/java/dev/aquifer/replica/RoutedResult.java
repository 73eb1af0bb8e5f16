package dev.aquifer.replica;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * A result that leads back to the routed statement that it is of, and not past it to the server's
 * own. What is written through its rows is told like any other write.
 */
final class RoutedResult extends ResultRows {
  private final RoutedStatement<?> statement;

  RoutedResult(RoutedStatement<?> statement, ResultSet result) {
    super(result);
    this.statement = statement;
  }

  @Override
  @Nullable Object routed(@Nullable Object value) {
    return value instanceof ResultSet inner ? new RoutedResult(statement, inner) : value;
  }

  @Override
  public Statement getStatement() throws SQLException {
    if (result.isClosed()) {
      throw new SQLException("This result is closed: run its statement again", "55000");
    }
    return statement.shown();
  }

  @Override
  public void insertRow() throws SQLException {
    statement.writeRow(result::insertRow);
  }

  @Override
  public void updateRow() throws SQLException {
    statement.writeRow(result::updateRow);
  }

  @Override
  public void deleteRow() throws SQLException {
    statement.writeRow(result::deleteRow);
  }

  @Override
  public void close() throws SQLException {
    result.close();
    statement.completed();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    T found = result.unwrap(type);
    statement.unwrapped();
    return found;
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type.isInstance(this) || result.isWrapperFor(type);
  }
}
