package dev.aquifer.replica;

import java.sql.Blob;
import java.sql.Clob;
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
  public @Nullable Blob getBlob(int index) throws SQLException {
    return watched(Blob.class, super.getBlob(index));
  }

  @Override
  public @Nullable Blob getBlob(String name) throws SQLException {
    return watched(Blob.class, super.getBlob(name));
  }

  @Override
  public @Nullable Clob getClob(int index) throws SQLException {
    return watched(Clob.class, super.getClob(index));
  }

  @Override
  public @Nullable Clob getClob(String name) throws SQLException {
    return watched(Clob.class, super.getClob(name));
  }

  /** What is written to a large object is no statement either. */
  private <T> @Nullable T watched(Class<T> type, @Nullable T object) {
    return object == null
        ? null
        : Facade.watched(type, object, statement.connection::wroteLargeObject);
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
