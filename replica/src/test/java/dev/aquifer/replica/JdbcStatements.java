package dev.aquifer.replica;

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.sql.Types;

/** Scenarios about statements of every kind. */
enum JdbcStatements implements JdbcScenario {
  PREPARED_AGAIN_AND_AGAIN {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (PreparedStatement read =
          connection.prepareStatement("SELECT label FROM item WHERE id = ?")) {
        for (int i = 1; i < 12; i++) {
          read.setInt(1, 1 + i % 3);
          notes.rows("row", read.executeQuery());
        }
        notes.rows("bound still", read.executeQuery());
        read.clearParameters();
        notes.ask("unbound", read::executeQuery);
        notes.run("no such parameter", () -> read.setInt(0, 1));
        notes.run(
            "too many",
            () -> {
              read.setInt(2, 1);
              read.setInt(1, 1);
              read.executeQuery();
            });
        notes.ask("a text of its own", () -> read.executeQuery("SELECT 1"));
        notes.run("batch of texts", () -> read.addBatch("SELECT 1"));
      }
    }
  },
  PARAMETERS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (PreparedStatement write =
          connection.prepareStatement("INSERT INTO item (label, price) VALUES (?, ?)")) {
        write.setCharacterStream(1, new StringReader("stream"));
        write.setBigDecimal(2, new BigDecimal("12.5"));
        notes.ask("inserted", write::executeUpdate);
        write.setObject(1, "object", Types.VARCHAR);
        write.setNull(2, Types.NUMERIC);
        notes.ask("execute", write::execute);
        notes.ask("count", write::getUpdateCount);
        notes.ask("result", write::getResultSet);
        notes.ask("more", write::getMoreResults);
        notes.ask("count after", write::getUpdateCount);
        // The router binds when it knows the node: what is wrong shows then.
        notes.ask(
            "unknown type",
            () -> {
              write.setObject(1, new Object());
              return write.execute();
            });
      }
      try (PreparedStatement bytes = connection.prepareStatement("SELECT ?::bytea")) {
        bytes.setBinaryStream(1, new ByteArrayInputStream("abc".getBytes(StandardCharsets.UTF_8)));
        try (ResultSet rows = bytes.executeQuery()) {
          rows.next();
          notes.ask("bytes", () -> new String(rows.getBytes(1), StandardCharsets.UTF_8));
        }
      }
      try (PreparedStatement array = connection.prepareStatement("SELECT ?")) {
        array.setArray(1, connection.createArrayOf("int4", new Object[] {1, 2, 3}));
        notes.rows("array", array.executeQuery());
      }
    }
  },
  BATCHES {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement batch = connection.createStatement();
          PreparedStatement prepared =
              connection.prepareStatement("INSERT INTO item (id, label) VALUES (?, 'batch')")) {
        notes.ask("empty", batch::executeBatch);
        batch.addBatch("UPDATE item SET price = 3");
        batch.addBatch("DELETE FROM item WHERE id = 3");
        notes.ask("counts", batch::executeBatch);
        batch.addBatch("UPDATE item SET price = 4");
        batch.clearBatch();
        notes.ask("cleared", batch::executeLargeBatch);
        for (int id : new int[] {11, 12, 13}) {
          prepared.setInt(1, id);
          prepared.addBatch();
        }
        notes.ask("prepared", prepared::executeLargeBatch);
        for (int id : new int[] {21, 11, 22}) {
          prepared.setInt(1, id);
          prepared.addBatch();
        }
        notes.ask("failing part-way", prepared::executeBatch);
        notes.ask("nothing left", prepared::executeBatch);
        batch.addBatch("INSERT INTO item (id) VALUES (31)");
        batch.addBatch("INSERT INTO item (id) VALUES (31)");
        batch.addBatch("INSERT INTO item (id) VALUES (32)");
        notes.ask("plain failing", batch::executeBatch);
        batch.addBatch("SELECT 1");
        notes.ask("with a query", batch::executeBatch);
        batch.addBatch("SELEKT 1");
        notes.ask("with nonsense", batch::executeBatch);
        notes.rows("stored", batch.executeQuery("SELECT id FROM item ORDER BY id"));
        connection.setAutoCommit(false);
        prepared.setInt(1, 41);
        prepared.addBatch();
        prepared.setInt(1, 41);
        prepared.addBatch();
        notes.ask("failing in a transaction", prepared::executeBatch);
        notes.ask("after that", () -> batch.executeQuery("SELECT 1"));
        connection.rollback();
        connection.setAutoCommit(true);
        notes.rows("stored then", batch.executeQuery("SELECT count(*) FROM item WHERE id > 40"));
      }
    }
  },
  GENERATED_KEYS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      String insert = "INSERT INTO item (label) VALUES ('keyed')";
      try (Statement statement = connection.createStatement()) {
        notes.ask("not executed", () -> Notes.rest(statement.getGeneratedKeys()));
        notes.ask("flag", () -> statement.executeUpdate(insert, Statement.RETURN_GENERATED_KEYS));
        notes.rows("of flag", statement.getGeneratedKeys());
        notes.ask("names", () -> statement.executeUpdate(insert, new String[] {"id", "label"}));
        notes.rows("of names", statement.getGeneratedKeys());
        notes.ask("wrong name", () -> statement.executeUpdate(insert, new String[] {"nope"}));
        notes.ask("indexes", () -> statement.executeUpdate(insert, new int[] {1}));
        notes.ask("none", () -> statement.executeUpdate(insert, Statement.NO_GENERATED_KEYS));
        notes.rows("of none", statement.getGeneratedKeys());
        notes.ask("wrong flag", () -> statement.executeUpdate(insert, 99));
        notes.ask("no names", () -> statement.executeUpdate(insert, new String[0]));
        notes.rows("of no names", statement.getGeneratedKeys());
      }
      try (PreparedStatement keyed =
          connection.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
        keyed.addBatch();
        keyed.addBatch();
        notes.ask("batch", keyed::executeBatch);
        notes.rows("of batch", keyed.getGeneratedKeys());
      }
      // The router prepares when it knows the node: what is wrong shows then.
      notes.ask(
          "prepared indexes",
          () -> connection.prepareStatement(insert, new int[] {1}).executeUpdate());
      try (PreparedStatement keyed = connection.prepareStatement(insert, new String[] {"id"})) {
        keyed.executeUpdate();
        notes.rows("of prepared", keyed.getGeneratedKeys());
      }
    }
  },
  CALLS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (CallableStatement call = connection.prepareCall("{call halves(?, ?, ?)}")) {
        call.setInt(1, 7);
        call.registerOutParameter(2, Types.INTEGER);
        call.registerOutParameter(3, Types.INTEGER);
        call.execute();
        notes.ask("lower", () -> call.getInt(2));
        notes.ask("upper", () -> call.getInt(3));
        notes.ask("null", call::wasNull);
        notes.ask("not registered", () -> call.getInt(1));
        notes.ask("by name", () -> call.getInt("lower"));
        notes.ask("again", call::execute);
      }
      try (CallableStatement call = connection.prepareCall("{? = call labels()}")) {
        notes.ask("unregistered", call::execute);
        call.registerOutParameter(1, Types.INTEGER);
        call.execute();
        notes.ask("returned", () -> call.getInt(1));
        notes.ask("wrong type", () -> call.getString(1));
      }
      try (CallableStatement call = connection.prepareCall("CALL swap(?, ?)")) {
        call.setInt(1, 1);
        call.setInt(2, 2);
        call.registerOutParameter(1, Types.INTEGER);
        call.registerOutParameter(2, Types.INTEGER);
        call.execute();
        notes.ask("swapped", () -> call.getInt(1) + "," + call.getInt(2));
      }
      connection.setAutoCommit(false);
      try (CallableStatement call = connection.prepareCall("{? = call rows()}")) {
        call.registerOutParameter(1, Types.REF_CURSOR);
        call.execute();
        notes.rows("cursor", call.getObject(1, ResultSet.class));
      }
      connection.rollback();
      try (CallableStatement call = connection.prepareCall("{call nowhere()}")) {
        notes.ask("unknown", call::execute);
      }
      connection.rollback();
    }
  },
  WRONG_KIND_OF_EXECUTION {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement statement = connection.createStatement();
          PreparedStatement read = connection.prepareStatement("SELECT 1");
          PreparedStatement write = connection.prepareStatement("UPDATE item SET price = 1")) {
        notes.ask("query of a write", () -> statement.executeQuery("UPDATE item SET price = 1"));
        notes.ask("update of a read", () -> statement.executeUpdate("SELECT 1"));
        notes.ask("nothing", () -> statement.execute(""));
        notes.ask("nothing asked", () -> statement.executeQuery("-- nothing"));
        notes.ask("nonsense", () -> statement.execute("SELEKT"));
        notes.ask("no table", () -> statement.execute("SELECT 1 FROM nowhere"));
        notes.ask("prepared query of a write", write::executeQuery);
        notes.ask("prepared update of a read", read::executeUpdate);
        notes.ask("ddl", () -> statement.executeUpdate("CREATE TEMP TABLE mine (id int)"));
        notes.ask("large", () -> statement.executeLargeUpdate("DELETE FROM mine"));
        notes.ask("binary zero", () -> statement.execute("SELECT '\0'"));
      }
    }
  },
  SEVERAL_RESULTS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement statement = connection.createStatement()) {
        notes.ask("count before", statement::getUpdateCount);
        notes.ask("result before", statement::getResultSet);
        notes.ask("more before", statement::getMoreResults);
        notes.ask(
            "first", () -> statement.execute("SELECT 1; UPDATE item SET price = 9; SELECT 2, 3"));
        notes.rows("result 1", statement.getResultSet());
        notes.ask("more 1", statement::getMoreResults);
        notes.ask("count", statement::getUpdateCount);
        notes.ask("more 2", () -> statement.getMoreResults(Statement.CLOSE_ALL_RESULTS));
        notes.rows("result 2", statement.getResultSet());
        notes.ask("more 3", statement::getMoreResults);
        notes.ask("count at the end", statement::getLargeUpdateCount);
      }
    }
  },
  OPTIONS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement statement = connection.createStatement()) {
        notes.ask("max rows", statement::getMaxRows);
        notes.run("negative rows", () -> statement.setMaxRows(-1));
        statement.setMaxRows(2);
        notes.rows("two", statement.executeQuery("SELECT id FROM item ORDER BY id"));
        statement.setMaxRows(0);
        notes.ask("fetch size", statement::getFetchSize);
        notes.run("negative size", () -> statement.setFetchSize(-1));
        notes.run("negative timeout", () -> statement.setQueryTimeout(-1));
        notes.run("negative field", () -> statement.setMaxFieldSize(-1));
        notes.run("direction", () -> statement.setFetchDirection(ResultSet.FETCH_REVERSE));
        notes.ask("direction now", statement::getFetchDirection);
        statement.setFetchDirection(ResultSet.FETCH_FORWARD);
        notes.run("no direction", () -> statement.setFetchDirection(77));
        statement.setMaxFieldSize(2);
        notes.ask("field size", statement::getMaxFieldSize);
        notes.rows("fields", statement.executeQuery("SELECT label FROM item ORDER BY id"));
        statement.setMaxFieldSize(0);
        notes.ask("poolable", statement::isPoolable);
        statement.setPoolable(true);
        notes.ask("poolable now", statement::isPoolable);
        notes.ask("type", statement::getResultSetType);
        notes.ask("concurrency", statement::getResultSetConcurrency);
        notes.ask("holdability", statement::getResultSetHoldability);
        notes.rows("escape", statement.executeQuery("SELECT {fn upper('a')}, {d '2024-02-03'}"));
        statement.setEscapeProcessing(false);
        notes.ask("no escape", () -> statement.executeQuery("SELECT {fn upper('a')}"));
        notes.run("cursor name", () -> statement.setCursorName("mine"));
        notes.run("idle cancel", statement::cancel);
        statement.setQueryTimeout(1);
        notes.ask("timeout", statement::getQueryTimeout);
        notes.ask("too long", () -> statement.execute("SELECT pg_sleep(20)"));
      }
      try (PreparedStatement prepared = connection.prepareStatement("SELECT 1")) {
        notes.ask("prepared poolable", prepared::isPoolable);
      }
    }
  },
  CLOSING {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      Statement statement = connection.createStatement();
      notes.ask("on completion", statement::isCloseOnCompletion);
      statement.closeOnCompletion();
      ResultSet rows = statement.executeQuery("SELECT 1");
      rows.close();
      notes.ask("completed", statement::isClosed);
      notes.ask("result closed", rows::isClosed);
      notes.ask("next", rows::next);
      notes.ask("value", () -> rows.getInt(1));
      notes.ask("statement of it", rows::getStatement);
      notes.ask("executing", () -> statement.executeQuery("SELECT 1"));
      notes.ask("max rows", statement::getMaxRows);
      notes.ask("connection", () -> statement.getConnection() == connection);
      notes.ask("warnings", statement::getWarnings);
      notes.ask("result", statement::getResultSet);
      notes.ask("count", statement::getUpdateCount);
      notes.ask("timeout", statement::getQueryTimeout);
      notes.ask("fetch size", statement::getFetchSize);
      notes.ask("type", statement::getResultSetType);
      notes.ask("on completion now", statement::isCloseOnCompletion);
      notes.ask("poolable", statement::isPoolable);
      notes.run("cancel", statement::cancel);
      notes.run("batch", () -> statement.addBatch("SELECT 1"));
      notes.run("close", statement::close);
      PreparedStatement prepared = connection.prepareStatement("SELECT ?");
      prepared.close();
      notes.run("bind", () -> prepared.setInt(1, 1));
      notes.ask("query", prepared::executeQuery);
      notes.ask("metadata", prepared::getMetaData);
      notes.run("clear", prepared::clearParameters);
      try (Statement two = connection.createStatement()) {
        ResultSet first = two.executeQuery("SELECT 1");
        two.executeQuery("SELECT 2");
        notes.ask("earlier result", first::isClosed);
      }
    }
  },
  DESCRIPTIONS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (PreparedStatement prepared =
          connection.prepareStatement("SELECT id, price AS cost, 1, upper(?) FROM item")) {
        for (int i = 1; i <= 4; i++) {
          int column = i;
          notes.ask(
              "column " + i,
              () ->
                  prepared.getMetaData().getColumnLabel(column)
                      + " "
                      + prepared.getMetaData().getColumnTypeName(column)
                      + " "
                      + prepared.getMetaData().getTableName(column)
                      + " "
                      + prepared.getMetaData().isAutoIncrement(column));
        }
        notes.ask("parameters", () -> prepared.getParameterMetaData().getParameterCount());
        notes.ask("parameter", () -> prepared.getParameterMetaData().getParameterTypeName(1));
      }
      try (PreparedStatement write = connection.prepareStatement("UPDATE item SET price = ?")) {
        notes.ask("of a write", write::getMetaData);
        notes.ask("its parameter", () -> write.getParameterMetaData().getParameterTypeName(1));
      }
      try (PreparedStatement wrong = connection.prepareStatement("SELEKT ?")) {
        notes.ask("of nonsense", wrong::getMetaData);
      }
    }
  },
  CONFLICTS_AND_FAILURES {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement statement = connection.createStatement()) {
        notes.ask("duplicate", () -> statement.execute("INSERT INTO item (id) VALUES (1)"));
        notes.ask("divided", () -> statement.execute("SELECT 1 / (id - 1) FROM item"));
        notes.ask("cast", () -> statement.execute("SELECT 'x'::int"));
        connection.setAutoCommit(false);
        notes.ask("in a transaction", () -> statement.execute("SELECT 'x'::int"));
        notes.ask("failed now", () -> statement.execute("SELECT 1"));
        notes.run("commit of a failed one", connection::commit);
        connection.rollback();
        statement.execute("INSERT INTO tag VALUES (4711, 'dangling')");
        notes.run("deferred", connection::commit);
        notes.ask("goes on", () -> statement.execute("SELECT 1"));
        connection.rollback();
      }
    }
  }
}
