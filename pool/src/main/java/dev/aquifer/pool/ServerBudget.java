package dev.aquifer.pool;

import dev.aquifer.ConfigurationException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * So many connections all pools that share it may have together, in this process or in several. The
 * sum of the pools' largest sizes never exceeds it: what one pool is given, another has given back
 * before, with the connections closed. What a pool does not need it lends; while another has less
 * than an equal part and needs more, those above an equal part go down to it.
 *
 * <p>Several processes have one of three arrangements:
 *
 * <ul>
 *   <li>{@link #of(int)}: there is one process.
 *   <li>{@link #of(int, int)}: each has an equal part, for good. Safe as long as there are no more
 *       processes than was said; count those that overlap while a new version is rolled out.
 *   <li>{@link #discovered}: they find each other in the server's own list of sessions, and lend to
 *       each other. A process holds its part by a session: when it dies, the server ends the
 *       session and the part is free. Nothing is written, so it works on standbys too.
 * </ul>
 *
 * <p>Connections beside the pools are not in it: each process has one more for a discovered budget,
 * and a replica set one for its probe. Leave room for them. Thread-safe; give one object to all
 * pools that share it.
 */
public final class ServerBudget {
  private final int connections;
  private final int processes;
  private final @Nullable String id;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Member> members = new ArrayList<>();
  private @Nullable BudgetBoard board;
  private int share;

  private ServerBudget(int connections, int processes, @Nullable String id) {
    if (connections < 1 || processes < 1 || connections < processes) {
      throw new ConfigurationException(
          "A budget of %d connections for %d processes leaves none for some: give at least one connection a process"
              .formatted(connections, processes));
    }
    this.connections = connections;
    this.processes = processes;
    this.id = id;
    this.share = id == null ? connections / processes : 0;
  }

  /**
   * All of it is this process's.
   *
   * @param connections 1 or more
   */
  public static ServerBudget of(int connections) {
    return new ServerBudget(connections, 1, null);
  }

  /**
   * An equal part of it is this process's.
   *
   * @param connections at least as many as processes
   * @param processes how many there are at most at any time
   */
  public static ServerBudget of(int connections, int processes) {
    return new ServerBudget(connections, processes, null);
  }

  /**
   * Divided between all processes that say the same of the same server. Takes one connection more,
   * to the server of the first pool that it is given to; all of them must be of that server. Not
   * through a pooler that shares sessions, such as PgBouncer.
   *
   * @param connections 1 or more
   */
  public static ServerBudget discovered(int connections) {
    byte[] random = new byte[6];
    new SecureRandom().nextBytes(random);
    return new ServerBudget(connections, 1, HexFormat.of().formatHex(random));
  }

  /** Whether processes find each other by the server's list of sessions. */
  public boolean isDiscovered() {
    return id != null;
  }

  /** Of all processes together. */
  public int connections() {
    return connections;
  }

  /** What this process may have now. */
  public int share() {
    lock.lock();
    try {
      return share;
    } finally {
      lock.unlock();
    }
  }

  /** The sum of the largest sizes of this process's pools now; never above {@link #share}. */
  public int granted() {
    lock.lock();
    try {
      return sumGranted();
    } finally {
      lock.unlock();
    }
  }

  /** The largest size that one pool could ever have. */
  int most() {
    return connections / processes;
  }

  /** Marks this process's sessions in the server's list; null when nobody looks there. */
  @Nullable String id() {
    return id;
  }

  /** A pool takes part, with this many at least. */
  Member join(PoolSettings pool, BudgetBoard.Link link, IntSupplier open) {
    Member member = new Member(Math.max(1, pool.minimumIdle()), open);
    lock.lock();
    try {
      int least = member.minimum + members.stream().mapToInt(other -> other.minimum).sum();
      if (least > most()) {
        throw new ConfigurationException(
            "budget has %d connections for this process, and the minimumIdle of its pools with that of %s needs %d (1 at least each): raise the budget or lower minimumIdle"
                .formatted(most(), pool.name(), least));
      }
      if (id != null) {
        if (board == null) {
          board = new BudgetBoard(id, connections, pool, link);
        } else if (!board.isAt(pool)) {
          throw new ConfigurationException(
              "budget: a discovered one is of one server; it is of %s already, and was given to %s too"
                  .formatted(board, pool.target()));
        }
      }
      members.add(member);
    } finally {
      lock.unlock();
    }
    member.ask(member.minimum);
    return member;
  }

  private int sumGranted() {
    return members.stream().mapToInt(member -> member.granted).sum();
  }

  /** Asks the server what this process may have, unless another thread is doing so. */
  private void refresh() {
    BudgetBoard current;
    int wanted;
    lock.lock();
    try {
      current = board;
      wanted = members.stream().mapToInt(member -> member.wanted).sum();
    } finally {
      lock.unlock();
    }
    if (current != null) {
      current.refresh(Math.min(wanted, connections), this::share, this::freeze);
    }
  }

  private int share(int now) {
    lock.lock();
    try {
      share = now;
      return sumGranted();
    } finally {
      lock.unlock();
    }
  }

  /** Nobody may open anything until the others know of this process again; tells what is held. */
  private int freeze() {
    lock.lock();
    try {
      members.forEach(member -> member.granted = Math.min(member.granted, member.open.getAsInt()));
      share = sumGranted();
      return share;
    } finally {
      lock.unlock();
    }
  }

  /** One pool's part. Thread-safe. */
  final class Member {
    private final int minimum;
    private final IntSupplier open;
    private int granted;
    private int wanted;

    private Member(int minimum, IntSupplier open) {
      this.minimum = minimum;
      this.open = open;
    }

    /** Says what is wanted, and returns the largest size that the pool is to have now. */
    int ask(int wants) {
      lock.lock();
      try {
        wanted = Math.max(minimum, wants);
      } finally {
        lock.unlock();
      }
      refresh();
      lock.lock();
      try {
        List<FairShare.Party> others = new ArrayList<>();
        for (Member other : members) {
          if (other != this) {
            others.add(new FairShare.Party(other.granted, other.wanted));
          }
        }
        int to = FairShare.of(share, new FairShare.Party(granted, wanted), others);
        // The process has less than it had: each pool gives up its part of what is too much.
        int excess = sumGranted() - share;
        if (excess > 0) {
          int part = Math.max(minimum, share / members.size());
          to = Math.min(to, Math.max(part, granted - excess));
        }
        granted = Math.max(to, Math.min(granted, open.getAsInt()));
        return to;
      } finally {
        lock.unlock();
      }
    }

    /** Whether a pool that has so many open, or about to be, may open one more. */
    boolean mayOpen(int already) {
      lock.lock();
      try {
        return already < granted;
      } finally {
        lock.unlock();
      }
    }

    /** The pool is closed. */
    void leave() {
      BudgetBoard last = null;
      lock.lock();
      try {
        granted = 0;
        wanted = 0;
        members.remove(this);
        if (members.isEmpty()) {
          last = board;
          board = null;
        }
      } finally {
        lock.unlock();
      }
      if (last != null) {
        last.close();
      }
    }
  }
}
