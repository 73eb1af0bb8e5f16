package dev.aquifer.replica;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.testkit.ChildJvm;
import dev.aquifer.testkit.TestDatabase;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** A replica set in a JVM of its own, which is given tokens and reads with them. Thread-safe. */
final class ReaderJvm implements AutoCloseable {
  private final ReentrantLock lock = new ReentrantLock();
  private final ChildJvm jvm;

  private ReaderJvm(ChildJvm jvm) {
    this.jvm = jvm;
  }

  static ReaderJvm start(TestDatabase database, boolean gate) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of(database.user(), database.password(), Boolean.toString(gate)));
    arguments.add(database.url());
    arguments.addAll(database.standbyUrls());
    ChildJvm jvm = ChildJvm.start(ReaderJvm.class, arguments.toArray(String[]::new));
    jvm.await("ready");
    return new ReaderJvm(jvm);
  }

  /** What the other process reads there with the token, and where. */
  Answer read(int row, String token) {
    lock.lock();
    try {
      jvm.tell(row + " " + token);
      String[] answer = jvm.await("read").split(" ", -1);
      return new Answer(Long.parseLong(answer[0]), Role.valueOf(answer[1]));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    jvm.end();
    jvm.close();
  }

  /** A row's version, and the role of the node that told it. */
  record Answer(long version, Role role) {
    static Answer of(ReplicaSet set, CausalSession session, int row) throws Exception {
      String read =
          set.sessions()
              .call(session, () -> Sets.query(set, "SELECT n FROM counter WHERE id = " + row));
      return new Answer(Long.parseLong(read), LastRoute.last());
    }
  }

  public static void main(String[] args) throws Exception {
    ReplicaSetBuilder builder =
        ReplicaSet.builder()
            .primary(args[3])
            .credentials(args[0], args[1])
            .positionGate(Boolean.parseBoolean(args[2]))
            .sampleEvery(Duration.ofMillis(20))
            .pool(pool -> pool.maximumSize(4));
    for (int i = 4; i < args.length; i++) {
      builder.replica(args[i]);
    }
    try (ReplicaSet set = builder.build();
        BufferedReader words =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      Sets.awaitReplicas(set, args.length - 4);
      System.out.println("ready=true");
      for (String line = words.readLine(); line != null; line = words.readLine()) {
        String[] parts = line.split(" ", 2);
        CausalSession session = set.sessions().open();
        session.accept(CausalToken.parse(parts[1]));
        Answer answer = Answer.of(set, session, Integer.parseInt(parts[0]));
        System.out.println("read=" + answer.version() + " " + answer.role());
      }
    }
  }
}
