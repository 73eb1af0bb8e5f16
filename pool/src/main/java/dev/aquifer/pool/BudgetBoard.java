package dev.aquifer.pool;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where processes see what each holds of a server's budget: the server's list of sessions. Each has
 * one session whose name says {@code aquifer/<process>/<held>/<wanted>}; its pools' sessions are
 * named {@code aquifer/<process>}, and the application's name for one after a space. Every user may
 * read these names, on a standby too, and changing one's own writes nothing.
 *
 * <p>Who wants more first writes the larger number and then reads what all others wrote: if the sum
 * is too large, it takes its number back. Of two at the same time at least the one that reads later
 * sees the other, so that the numbers that stand never exceed the budget. Who gives back closes the
 * connections first.
 *
 * <p>A process that dies is gone from the list as soon as the server has noticed. One that lives
 * but has lost the session with its number opens no connection until it has a new one: each
 * connection, when just opened, looks for its process's number, and is closed if there is none.
 * What others count for such a process is what it has open. Thread-safe.
 */
final class BudgetBoard implements AutoCloseable {
  private static final String PREFIX = "aquifer/";
  private static final Pattern NAME =
      Pattern.compile("aquifer/([0-9a-f]+)(?:/(\\d{1,9})/(\\d{1,9})| .*)?", Pattern.DOTALL);
  private static final String READ =
      "SELECT application_name FROM pg_catalog.pg_stat_activity WHERE application_name LIKE 'aquifer/%'";
  private static final int LIMIT_MILLIS = 1000;
  private static final long EVERY_NANOS = 250_000_000;

  /** Opens the session; a seam to the pool's own way of connecting. */
  @FunctionalInterface
  interface Link {
    Connection open(String sessionName) throws SQLException;
  }

  private static final class Entry {
    int held;
    int wanted;
    int sessions;
  }

  private final String id;
  private final int total;
  private final String target;
  private final Link link;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Connection connection;
  private String written = "";
  private int held;
  private int skip;
  private boolean closed;
  private long refreshed = System.nanoTime() - EVERY_NANOS;

  BudgetBoard(String id, int total, PoolSettings server, Link link) {
    this.id = id;
    this.total = total;
    this.target = server(server);
    this.link = link;
  }

  boolean isAt(PoolSettings pool) {
    return server(pool).equals(target);
  }

  private static String server(PoolSettings pool) {
    String target = pool.target();
    int slash = target.indexOf('/');
    return slash < 0 ? target : target.substring(0, slash);
  }

  /**
   * One round. Does nothing while another thread is at it.
   *
   * @param wanted what the pools of this process could use
   * @param share told what they may have from now on; returns what they may have yet
   * @param freeze called when the session is lost; returns what is open
   */
  void refresh(int wanted, IntUnaryOperator share, IntSupplier freeze) {
    if (!lock.tryLock()) {
      return;
    }
    try {
      if (closed || System.nanoTime() - refreshed < EVERY_NANOS) {
        return;
      }
      refreshed = System.nanoTime();
      Connection current = connection;
      if (current == null) {
        held = freeze.getAsInt();
        written = name(held, wanted);
        current = link.open(written);
        connection = current;
        current.setNetworkTimeout(Runnable::run, LIMIT_MILLIS);
      }
      negotiate(current, wanted, share);
    } catch (SQLException e) {
      drop();
      held = freeze.getAsInt();
    } finally {
      lock.unlock();
    }
  }

  private void negotiate(Connection current, int wanted, IntUnaryOperator share)
      throws SQLException {
    Map<String, Entry> all = read(current);
    int aim = FairShare.of(total, new FairShare.Party(held, wanted), others(all));
    if (aim > held && skip-- <= 0) {
      write(current, name(aim, wanted));
      int sum = aim + others(read(current)).stream().mapToInt(FairShare.Party::held).sum();
      if (sum <= total) {
        held = aim;
      } else {
        // Two at once: they are not to meet again and again.
        skip = Math.floorMod(id.hashCode() ^ Long.hashCode(System.nanoTime()), 3);
      }
    }
    // First the pools get no more, then what they have given up is what others may have.
    int granted = share.applyAsInt(Math.min(held, aim));
    held = aim < held ? Math.max(aim, Math.min(held, granted)) : held;
    write(current, name(held, wanted));
  }

  private List<FairShare.Party> others(Map<String, Entry> all) {
    return all.entrySet().stream()
        .filter(entry -> !entry.getKey().equals(id))
        .map(Map.Entry::getValue)
        .map(entry -> new FairShare.Party(Math.max(entry.held, entry.sessions), entry.wanted))
        .toList();
  }

  private static Map<String, Entry> read(Connection connection) throws SQLException {
    Map<String, Entry> all = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(READ);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        count(rows.getString(1), all);
      }
    }
    return all;
  }

  private static void count(String name, Map<String, Entry> all) {
    Matcher parts = NAME.matcher(name);
    if (parts.matches()) {
      Entry entry = all.computeIfAbsent(parts.group(1), process -> new Entry());
      if (parts.group(2) == null) {
        entry.sessions++;
      } else {
        entry.held = Math.max(entry.held, Integer.parseInt(parts.group(2)));
        entry.wanted = Math.max(entry.wanted, Integer.parseInt(parts.group(3)));
      }
    }
  }

  private void write(Connection current, String name) throws SQLException {
    if (!name.equals(written)) {
      try (Statement statement = current.createStatement()) {
        statement.execute("SET application_name = '" + name + "'");
      }
      written = name;
    }
  }

  private String name(int holds, int wants) {
    return PREFIX + id + "/" + holds + "/" + wants;
  }

  /** The name of a pool's sessions of the process. */
  static String sessionName(String id) {
    return PREFIX + id;
  }

  /** Whether the process's number stands, asked over a connection that was just opened. */
  static boolean stands(Connection fresh, String id) throws SQLException {
    try (Statement statement = fresh.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity WHERE application_name LIKE '"
                    + PREFIX
                    + id
                    + "/%')")) {
      row.next();
      return row.getBoolean(1);
    }
  }

  private void drop() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      try {
        current.abort(Runnable::run);
      } catch (SQLException e) {
        // Nothing is left to be closed.
        return;
      }
    }
  }

  /** Gives everything back; the last pool is closed. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      Connection current = connection;
      connection = null;
      if (current != null) {
        current.close();
      }
    } catch (SQLException e) {
      // The session is gone already.
      return;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return target;
  }
}
