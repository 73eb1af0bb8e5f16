package dev.aquifer.replica;

import java.nio.charset.StandardCharsets;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;

/** Scenarios about results. */
enum JdbcResults implements JdbcScenario {
  SCROLLING {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement statement =
              connection.createStatement(
                  ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
          ResultSet rows = statement.executeQuery("SELECT id FROM item ORDER BY id")) {
        notes.ask("type", rows::getType);
        notes.ask("before", rows::isBeforeFirst);
        notes.ask("value before", () -> rows.getInt(1));
        notes.ask("last", rows::last);
        notes.ask("row", rows::getRow);
        notes.ask("is last", rows::isLast);
        notes.ask("previous", rows::previous);
        notes.ask("value", () -> rows.getInt("id"));
        notes.ask("absolute", () -> rows.absolute(-3));
        notes.ask("is first", rows::isFirst);
        notes.ask("relative", () -> rows.relative(2));
        notes.ask("value then", () -> rows.getInt(1));
        notes.run("after", rows::afterLast);
        notes.ask("is after", rows::isAfterLast);
        notes.run("front", rows::beforeFirst);
        notes.ask("first", rows::first);
        notes.run("update", () -> rows.updateInt(1, 1));
        notes.run("delete", rows::deleteRow);
      }
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("SELECT id FROM item")) {
        notes.ask("forward only", rows::last);
        notes.ask("no column", () -> rows.getInt(9));
        rows.next();
        notes.ask("no column then", () -> rows.getInt(9));
        notes.ask("no name", () -> rows.getInt("nothing"));
        notes.ask("find", () -> rows.findColumn("ID"));
      }
    }
  },
  UPDATING {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (PreparedStatement statement =
          connection.prepareStatement(
              "SELECT id, label, price FROM item WHERE id > ? ORDER BY id",
              ResultSet.TYPE_SCROLL_INSENSITIVE,
              ResultSet.CONCUR_UPDATABLE)) {
        statement.setInt(1, 0);
        ResultSet rows = statement.executeQuery();
        notes.ask("concurrency", rows::getConcurrency);
        rows.next();
        rows.updateString("label", "changed");
        rows.updateNull(3);
        rows.updateRow();
        notes.ask("updated", rows::rowUpdated);
        rows.refreshRow();
        notes.ask("value", () -> rows.getString(2) + rows.getBigDecimal(3));
        rows.updateString(2, "given up");
        rows.cancelRowUpdates();
        notes.ask("value still", () -> rows.getString(2));
        rows.moveToInsertRow();
        rows.updateInt("id", 50);
        rows.updateString("label", "inserted");
        rows.insertRow();
        rows.updateInt("id", 50);
        notes.run("again", rows::insertRow);
        rows.moveToCurrentRow();
        rows.next();
        rows.deleteRow();
        notes.ask("deleted", rows::rowDeleted);
        rows.beforeFirst();
        notes.run("on no row", rows::updateRow);
        rows.close();
        notes.rows("stored", statement.executeQuery());
      }
      try (Statement statement =
              connection.createStatement(
                  ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
          ResultSet rows = statement.executeQuery("SELECT count(*) AS n FROM item")) {
        rows.next();
        notes.run("of no table", () -> rows.updateInt(1, 5));
      }
    }
  },
  CURSORS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement();
          Statement other = connection.createStatement()) {
        statement.setFetchSize(1);
        ResultSet rows = statement.executeQuery("SELECT id FROM item ORDER BY id");
        rows.next();
        notes.ask("size", rows::getFetchSize);
        notes.rows("meanwhile", other.executeQuery("SELECT count(*) FROM item"));
        notes.rows("the rest", rows);
        ResultSet lost = statement.executeQuery("SELECT id FROM item ORDER BY id");
        lost.next();
        connection.rollback();
        notes.ask("after a rollback", lost::next);
        connection.rollback();
      }
      connection.setAutoCommit(true);
      try (Statement statement = connection.createStatement()) {
        statement.execute("BEGIN");
        statement.execute("DECLARE mine CURSOR FOR SELECT id FROM item ORDER BY id");
        notes.rows("fetched", statement.executeQuery("FETCH 2 FROM mine"));
        statement.execute("COMMIT");
        notes.ask("gone", () -> statement.executeQuery("FETCH 2 FROM mine"));
      }
    }
  },
  VALUES_OF_EVERY_KIND {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT 1::int2, 2::int8, 1.5::float8, true, 'text', NULL, ARRAY[1, 2],"
                      + " '2024-02-03'::date, '2024-02-03 04:05:06'::timestamp, 'abc'::bytea,"
                      + " '{\"a\": 1}'::jsonb, '<a/>'::xml, '12.34'::numeric, 1 AS named")) {
        row.next();
        for (int i = 1; i <= 13; i++) {
          int column = i;
          notes.ask(
              "class " + i,
              () -> row.getObject(column) == null ? null : row.getObject(column).getClass());
          notes.ask("text " + i, () -> row.getString(column));
          notes.ask("null " + i, row::wasNull);
        }
        notes.ask("short", () -> row.getShort(1));
        notes.ask("too small", () -> row.getByte(2));
        notes.ask("no number", () -> row.getInt(5));
        notes.ask("date", () -> row.getObject(8, java.time.LocalDate.class));
        notes.ask("no date", () -> row.getObject(5, java.time.LocalDate.class));
        notes.ask("bytes", () -> new String(row.getBytes(10), StandardCharsets.UTF_8));
        notes.ask("unnamed", () -> row.getString("?column?"));
        notes.ask("named", () -> row.getObject("NAMED"));
        notes.ask("statement", () -> row.getStatement() == statement);
        notes.ask("wrapper", () -> row.isWrapperFor(String.class));
        notes.ask("unwrap", () -> row.unwrap(String.class));
        notes.ask("cursor", row::getCursorName);
        notes.ask("warnings", row::getWarnings);
      }
    }
  },
  LARGE_OBJECTS {
    @Override
    public void on(Connection connection, Notes notes) throws Exception {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("UPDATE item SET body = lo_from_bytea(0, 'abc'::bytea) WHERE id = 1");
        ResultSet rows = statement.executeQuery("SELECT body FROM item WHERE id = 1");
        rows.next();
        Blob blob = rows.getBlob(1);
        notes.ask("length", blob::length);
        notes.ask("written", () -> blob.setBytes(2, new byte[] {'X', 'Y', 'Z'}));
        notes.ask("bytes", () -> new String(blob.getBytes(1, 4), StandardCharsets.UTF_8));
        blob.free();
        try (PreparedStatement write =
            connection.prepareStatement("UPDATE item SET body = ? WHERE id = 2")) {
          write.setBlob(1, new java.io.ByteArrayInputStream(new byte[] {1, 2}));
          notes.ask("stored", write::executeUpdate);
        }
        notes.rows(
            "sizes",
            statement.executeQuery(
                "SELECT octet_length(lo_get(body)) FROM item WHERE body IS NOT NULL ORDER BY id"));
        statement.execute("SELECT lo_unlink(body) FROM item WHERE body IS NOT NULL");
        connection.commit();
      }
    }
  }
}
