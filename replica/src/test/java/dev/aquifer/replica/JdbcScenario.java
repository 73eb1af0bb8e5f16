package dev.aquifer.replica;

import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Calls of JDBC, and what came of them. */
interface JdbcScenario {
  void on(Connection connection, Notes notes) throws Exception;

  /** A call that gives something. */
  interface Asked {
    Object get() throws Exception;
  }

  /** A call that gives nothing. */
  interface Done {
    void run() throws Exception;
  }

  /** What came of the calls, in their order: a value, or the error's SQLSTATE. */
  final class Notes {
    private final List<String> lines = new ArrayList<>();

    List<String> lines() {
      return lines;
    }

    /** What came out otherwise there. */
    List<String> unlike(Notes other) {
      return IntStream.range(0, lines.size())
          .filter(i -> !lines.get(i).equals(other.lines.get(i)))
          .mapToObj(i -> lines.get(i) + " | " + other.lines.get(i))
          .toList();
    }

    void ask(String what, Asked call) {
      lines.add(what + ": " + outcome(call));
    }

    void run(String what, Done call) {
      ask(
          what,
          () -> {
            call.run();
            return "done";
          });
    }

    /** The rows that are left, and closes the result. */
    void rows(String what, ResultSet result) throws SQLException {
      try (result) {
        lines.add(what + ": " + rest(result));
      }
    }

    static String rest(ResultSet result) throws SQLException {
      StringBuilder text = new StringBuilder();
      int columns = result.getMetaData().getColumnCount();
      while (result.next()) {
        for (int i = 1; i <= columns; i++) {
          text.append(result.getString(i)).append(i == columns ? "; " : ",");
        }
      }
      return text.toString();
    }

    private static String outcome(Asked call) {
      try {
        Object value = call.get();
        if (value instanceof int[] counts) {
          return Arrays.toString(counts);
        }
        return value instanceof long[] counts ? Arrays.toString(counts) : String.valueOf(value);
      } catch (BatchUpdateException e) {
        return "SQLSTATE " + e.getSQLState() + Arrays.toString(e.getLargeUpdateCounts());
      } catch (SQLException e) {
        return "SQLSTATE " + e.getSQLState();
      } catch (Exception e) {
        return e.getClass().getSimpleName();
      }
    }
  }
}
