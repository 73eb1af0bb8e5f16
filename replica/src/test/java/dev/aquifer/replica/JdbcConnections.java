package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Properties;

/** Scenarios about connections: transactions, settings, metadata. */
enum JdbcConnections implements JdbcScenario {
  SAVEPOINTS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("outside", connection::setSavepoint);
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        Savepoint first = connection.setSavepoint("first");
        notes.ask("name", first::getSavepointName);
        notes.ask("id of a named one", first::getSavepointId);
        statement.execute("DELETE FROM item");
        Savepoint second = connection.setSavepoint();
        notes.ask("name of an unnamed one", second::getSavepointName);
        notes.ask("fails", () -> statement.execute("SELECT 1 / 0"));
        connection.rollback(second);
        notes.rows("deleted", statement.executeQuery("SELECT count(*) FROM item"));
        connection.rollback(first);
        notes.rows("there again", statement.executeQuery("SELECT count(*) FROM item"));
        notes.run("undone already", () -> connection.rollback(second));
        connection.rollback(first);
        connection.releaseSavepoint(first);
        notes.run("released", () -> connection.rollback(first));
      }
    }
  },
  TRANSACTIONS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.run("commit", connection::commit);
      notes.run("rollback", connection::rollback);
      try (Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        notes.run("empty commit", connection::commit);
        statement.execute("DELETE FROM item WHERE id = 1");
        connection.setAutoCommit(true);
        notes.rows("committed", statement.executeQuery("SELECT count(*) FROM item"));
        connection.setAutoCommit(false);
        statement.execute("DELETE FROM item WHERE id = 2");
        connection.rollback();
        notes.rows("undone", statement.executeQuery("SELECT count(*) FROM item"));
        connection.rollback();
        connection.setAutoCommit(true);
        statement.execute("BEGIN");
        notes.ask("autocommit in SQL's transaction", connection::getAutoCommit);
        statement.execute("DELETE FROM item");
        notes.run("commit of SQL's transaction", connection::commit);
        statement.execute("ROLLBACK");
        notes.rows("still there", statement.executeQuery("SELECT count(*) FROM item"));
        connection.setAutoCommit(false);
        statement.execute("DELETE FROM item WHERE id = 2");
        statement.execute("COMMIT");
        connection.rollback();
        notes.rows("committed by SQL", statement.executeQuery("SELECT count(*) FROM item"));
        connection.rollback();
      }
    }
  },
  READ_ONLY_AND_ISOLATION {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("read-only", connection::isReadOnly);
      notes.ask("isolation", connection::getTransactionIsolation);
      notes.run("no level", () -> connection.setTransactionIsolation(77));
      notes.run("none", () -> connection.setTransactionIsolation(Connection.TRANSACTION_NONE));
      for (int level :
          new int[] {
            Connection.TRANSACTION_READ_UNCOMMITTED,
            Connection.TRANSACTION_READ_COMMITTED,
            Connection.TRANSACTION_REPEATABLE_READ,
            Connection.TRANSACTION_SERIALIZABLE
          }) {
        connection.setTransactionIsolation(level);
        notes.ask("level", connection::getTransactionIsolation);
        try (Statement statement = connection.createStatement()) {
          connection.setAutoCommit(false);
          notes.rows("server's", statement.executeQuery("SHOW transaction_isolation"));
          connection.rollback();
          connection.setAutoCommit(true);
        }
      }
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      try (Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        statement.execute("UPDATE item SET price = 1");
        notes.run("read-only within", () -> connection.setReadOnly(true));
        notes.run(
            "isolation within",
            () -> connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE));
        notes.ask("isolation still", connection::getTransactionIsolation);
        connection.rollback();
        connection.setReadOnly(true);
        notes.ask("write", () -> statement.execute("UPDATE item SET price = 1"));
        connection.rollback();
        notes.rows("read", statement.executeQuery("SELECT count(*) FROM item"));
        notes.ask("write after a read", () -> statement.execute("DELETE FROM item"));
        connection.rollback();
        connection.setReadOnly(false);
        notes.ask("write then", () -> statement.executeUpdate("UPDATE item SET price = 1"));
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
  },
  SCHEMA_AND_CATALOG {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("schema", connection::getSchema);
      notes.run("other", () -> connection.setSchema("other"));
      notes.ask("schema now", connection::getSchema);
      try (Statement statement = connection.createStatement()) {
        notes.rows("other's", statement.executeQuery("SELECT count(*) FROM item"));
        connection.setSchema("public");
        notes.rows("public's", statement.executeQuery("SELECT count(*) FROM item"));
      }
      notes.run("catalog", () -> connection.setCatalog("nowhere"));
      notes.ask("catalog still", () -> connection.getCatalog().isEmpty());
      notes.run("odd name", () -> connection.setSchema("it's"));
      notes.ask("odd schema", connection::getSchema);
      notes.run("schema in a transaction", () -> connection.setAutoCommit(false));
      connection.setSchema("other");
      try (Statement statement = connection.createStatement()) {
        notes.rows("within", statement.executeQuery("SELECT count(*) FROM item"));
      }
      connection.rollback();
    }
  },
  CLIENT_INFO {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.run("name", () -> connection.setClientInfo("ApplicationName", "scenario"));
      notes.ask("named", () -> connection.getClientInfo("ApplicationName"));
      try (Statement statement = connection.createStatement()) {
        notes.rows("server's", statement.executeQuery("SHOW application_name"));
      }
      notes.ask("all", () -> connection.getClientInfo().getProperty("ApplicationName"));
      notes.ask("unknown", () -> connection.getClientInfo("Nothing"));
      notes.run("unknown set", () -> connection.setClientInfo("Nothing", "x"));
      notes.ask("unknown kept", () -> connection.getClientInfo("Nothing"));
      notes.run("null", () -> connection.setClientInfo("ApplicationName", null));
      notes.ask("none", () -> connection.getClientInfo("ApplicationName"));
      Properties several = new Properties();
      several.setProperty("ApplicationName", "several");
      notes.run("several", () -> connection.setClientInfo(several));
      notes.ask("several now", () -> connection.getClientInfo("ApplicationName"));
      connection.close();
      notes.ask(
          "closed",
          () -> {
            try {
              connection.setClientInfo("ApplicationName", "x");
              return "none";
            } catch (SQLClientInfoException e) {
              return e.getFailedProperties();
            }
          });
    }
  },
  WARNINGS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("none", connection::getWarnings);
      try (Statement statement = connection.createStatement()) {
        statement.execute("SELECT warn()");
        SQLWarning warning = statement.getWarnings();
        notes.ask("first", warning::getMessage);
        notes.ask("state", warning::getSQLState);
        notes.ask("second", () -> warning.getNextWarning().getMessage());
        statement.clearWarnings();
        notes.ask("cleared", statement::getWarnings);
        statement.execute("SELECT warn()");
        statement.execute("SELECT 1");
        notes.ask("of the next", statement::getWarnings);
      }
      connection.clearWarnings();
      notes.ask("connection's", connection::getWarnings);
    }
  },
  LIMITS_OF_THE_NETWORK {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.run("negative", () -> connection.setNetworkTimeout(Runnable::run, -1));
      notes.run("set", () -> connection.setNetworkTimeout(Runnable::run, 300));
      notes.ask("now", connection::getNetworkTimeout);
      try (Statement statement = connection.createStatement()) {
        notes.ask("too slow", () -> statement.execute("SELECT pg_sleep(20)"));
      }
    }
  },
  HOLDABILITY {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("default", connection::getHoldability);
      notes.run("none", () -> connection.setHoldability(77));
      connection.setAutoCommit(false);
      connection.setHoldability(ResultSet.HOLD_CURSORS_OVER_COMMIT);
      notes.ask("now", connection::getHoldability);
      try (Statement statement = connection.createStatement()) {
        statement.setFetchSize(1);
        notes.ask("statement's", statement::getResultSetHoldability);
        ResultSet rows = statement.executeQuery("SELECT id FROM item ORDER BY id");
        rows.next();
        connection.commit();
        notes.ask("held", () -> Notes.rest(rows));
      }
      try (Statement statement =
          connection.createStatement(
              ResultSet.TYPE_FORWARD_ONLY,
              ResultSet.CONCUR_READ_ONLY,
              ResultSet.CLOSE_CURSORS_AT_COMMIT)) {
        statement.setFetchSize(1);
        ResultSet rows = statement.executeQuery("SELECT id FROM item ORDER BY id");
        rows.next();
        connection.commit();
        notes.ask("closed at the commit", () -> Notes.rest(rows));
      }
      connection.rollback();
    }
  },
  WRAPPERS_AND_TYPES {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("no string", () -> connection.isWrapperFor(String.class));
      notes.ask("unwrap to a string", () -> connection.unwrap(String.class));
      notes.ask("connection", () -> connection.isWrapperFor(Connection.class));
      notes.ask("postgres", () -> connection.isWrapperFor(org.postgresql.PGConnection.class));
      try (Statement statement = connection.createStatement()) {
        notes.ask("statement", () -> statement.isWrapperFor(org.postgresql.PGStatement.class));
        notes.ask("statement as a string", () -> statement.unwrap(String.class));
      }
      notes.ask("native", () -> connection.nativeSQL("SELECT {fn now()}"));
      notes.ask("clob", connection::createClob);
      notes.ask("blob", connection::createBlob);
      notes.ask("nclob", connection::createNClob);
      notes.ask("struct", () -> connection.createStruct("item", new Object[0]));
      notes.ask("array", () -> connection.createArrayOf("text", new Object[] {"a", null}));
      notes.ask("no array", () -> connection.createArrayOf("nothing", new Object[0]));
      notes.ask(
          "xml",
          () -> {
            java.sql.SQLXML xml = connection.createSQLXML();
            xml.setString("<a/>");
            return xml.getString();
          });
      notes.ask("types", connection::getTypeMap);
      notes.ask("valid", () -> connection.isValid(5));
      notes.ask("negative", () -> connection.isValid(-1));
    }
  },
  METADATA {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      notes.ask("product", () -> connection.getMetaData().getDatabaseProductName());
      notes.ask("itself", () -> connection.getMetaData().getConnection() == connection);
      try (ResultSet keys = connection.getMetaData().getPrimaryKeys(null, "public", "item")) {
        keys.next();
        notes.ask("key", () -> keys.getString("COLUMN_NAME"));
      }
      try (ResultSet columns = connection.getMetaData().getColumns(null, "public", "item", null)) {
        while (columns.next()) {
          notes.ask("column", () -> columns.getString("COLUMN_NAME"));
        }
      }
      notes.ask("wrapper", () -> connection.getMetaData().isWrapperFor(String.class));
    }
  },
  CLOSED {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      Statement statement = connection.createStatement();
      ResultSet rows = statement.executeQuery("SELECT 1");
      connection.close();
      connection.close();
      notes.ask("closed", connection::isClosed);
      notes.ask("valid", () -> connection.isValid(1));
      notes.ask("statement", connection::createStatement);
      notes.ask("prepare", () -> connection.prepareStatement("SELECT 1"));
      notes.ask("call", () -> connection.prepareCall("CALL x()"));
      notes.run("commit", connection::commit);
      notes.run("rollback", connection::rollback);
      notes.ask("autocommit", connection::getAutoCommit);
      notes.run("set autocommit", () -> connection.setAutoCommit(true));
      notes.ask("read-only", connection::isReadOnly);
      notes.run("set read-only", () -> connection.setReadOnly(true));
      notes.ask("isolation", connection::getTransactionIsolation);
      notes.ask("schema", connection::getSchema);
      notes.ask("catalog", connection::getCatalog);
      notes.ask("metadata", connection::getMetaData);
      notes.ask("savepoint", connection::setSavepoint);
      notes.ask("warnings", connection::getWarnings);
      notes.ask("network timeout", connection::getNetworkTimeout);
      notes.ask("native", () -> connection.nativeSQL("SELECT 1"));
      notes.ask("types", connection::getTypeMap);
      notes.ask("holdability", connection::getHoldability);
      notes.ask("execute", () -> statement.execute("SELECT 1"));
      notes.ask("result closed", rows::isClosed);
      notes.ask("next", rows::next);
      notes.run("abort", () -> connection.abort(Runnable::run));
    }
  }
}
