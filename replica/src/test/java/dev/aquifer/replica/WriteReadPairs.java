package dev.aquifer.replica;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.replica.ReaderJvm.Answer;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Seeded callers that write rows and read them back while replicas stop and resume replaying: in
 * the session of the write, or with its token in another set of this JVM, or in another JVM.
 *
 * <p>Each caller has many sessions, each with a row of its own, and picks one of them at random for
 * its next step, so that between a write and its read lies what the others do meanwhile; every
 * second read follows its write at once.
 */
final class WriteReadPairs implements AutoCloseable {
  /** Rows of the table {@code counter}, from 0. */
  static final int ROWS = 256;

  private static final int CALLERS = 4;
  private static final int PAIRS_A_FAULT = 50;

  /** Where a write is read back. */
  enum Reader {
    SESSION,
    SET,
    JVM
  }

  private static final List<Reader> READERS = List.of(Reader.values());

  private final TestDatabase database;
  private final ReplicaSet writer;
  private final ReplicaSet other;
  private final ReaderJvm jvm;
  private final AtomicLong next = new AtomicLong();
  private final Map<Reader, LongAdder> pairs = adders();
  private final Map<Reader, LongAdder> byReplicas = adders();
  private final LongAdder stale = new LongAdder();

  WriteReadPairs(TestDatabase database, boolean gate) {
    this.database = database;
    this.writer = set(gate);
    this.other = set(gate);
    this.jvm = ReaderJvm.start(database, gate);
    Sets.awaitReplicas(writer, 2);
    Sets.awaitReplicas(other, 2);
  }

  private ReplicaSet set(boolean gate) {
    return Sets.of(database).positionGate(gate).sampleEvery(Duration.ofMillis(20)).build();
  }

  private static Map<Reader, LongAdder> adders() {
    Map<Reader, LongAdder> all = new EnumMap<>(Reader.class);
    for (Reader reader : Reader.values()) {
      all.put(reader, new LongAdder());
    }
    return all;
  }

  /** Runs as many pairs as the proof wants, and counts in it. */
  void run(Proof.Run run) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
    try (ReplayFaults faults = new ReplayFaults(database, run.seed())) {
      List<Future<?>> callers = new ArrayList<>();
      SplittableRandom seeds = new SplittableRandom(run.seed());
      for (int i = 0; i < CALLERS; i++) {
        callers.add(threads.submit(new Caller(run, faults, i, seeds.split())::work));
      }
      for (Future<?> caller : callers) {
        caller.get();
      }
      run.detail("faults", faults.turns());
    } finally {
      threads.shutdownNow();
    }
    for (Reader reader : Reader.values()) {
      String name = reader.name().toLowerCase(Locale.ROOT);
      run.detail(name, pairs.get(reader).sum());
      run.detail(name + "ByReplicas", byReplicas(reader));
    }
    run.detail("stale", stale.sum());
  }

  /** How many pairs of that kind a replica answered. */
  long byReplicas(Reader reader) {
    return byReplicas.get(reader).sum();
  }

  long stale() {
    return stale.sum();
  }

  @Override
  public void close() {
    jvm.close();
    other.close();
    writer.close();
  }

  private final class Caller {
    private final Proof.Run run;
    private final ReplayFaults faults;
    private final SplittableRandom random;
    private final List<Line> lines = new ArrayList<>();

    Caller(Proof.Run run, ReplayFaults faults, int number, SplittableRandom random) {
      this.run = run;
      this.faults = faults;
      this.random = random;
      for (int row = number; row < ROWS; row += CALLERS) {
        lines.add(new Line(row));
      }
    }

    Void work() throws Exception {
      while (next.get() < run.tries()) {
        Line line = lines.get(random.nextInt(lines.size()));
        if (!line.written) {
          line.write(random);
          if (random.nextBoolean()) {
            continue;
          }
        }
        count(line);
      }
      return null;
    }

    private void count(Line line) throws Exception {
      if (next.incrementAndGet() % PAIRS_A_FAULT == 0) {
        faults.turn();
      }
      Answer answer = line.read();
      run.tried(1);
      pairs.get(line.reader).increment();
      if (answer.role() == Role.REPLICA) {
        byReplicas.get(line.reader).increment();
      }
      if (answer.version() < line.version) {
        stale.increment();
        run.failed(
            "row %d: version %d was written, %s read %d at a %s"
                .formatted(line.row, line.version, line.reader, answer.version(), answer.role()));
      }
    }
  }

  /** A row, and the session that writes it. */
  private final class Line {
    final int row;
    private CausalSession session = writer.sessions().open();
    private Reader reader = Reader.SESSION;
    private String token = "";
    private long version;
    private boolean written;

    Line(int row) {
      this.row = row;
    }

    void write(SplittableRandom random) throws Exception {
      version++;
      session = random.nextInt(4) == 0 ? writer.sessions().open() : session;
      writer.sessions().call(session, this::update);
      reader = READERS.get(random.nextInt(READERS.size()));
      token = reader == Reader.SESSION ? "" : writer.token(session).toString();
      written = true;
    }

    private int update() throws SQLException {
      try (Connection connection = writer.getConnection();
          PreparedStatement update =
              connection.prepareStatement("UPDATE counter SET n = ? WHERE id = ?")) {
        update.setLong(1, version);
        update.setInt(2, row);
        return update.executeUpdate();
      }
    }

    Answer read() throws Exception {
      written = false;
      return switch (reader) {
        case SESSION -> Answer.of(writer, session, row);
        case SET -> {
          CausalSession theirs = other.sessions().open();
          theirs.accept(CausalToken.parse(token));
          yield Answer.of(other, theirs, row);
        }
        case JVM -> jvm.read(row, token);
      };
    }
  }
}
