package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Replicas are added, weighted, drained and removed in any order, at a thousand reads a second. */
class MembersUnderLoadTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(2)
          .schema("CREATE TABLE item (id int PRIMARY KEY)", "INSERT INTO item VALUES (1)");

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final int PER_SECOND = 1000;

  @Test
  void changes_atAThousandReadsASecond_failNoRead() {
    Proof.of("replica-members")
        .tries(20, 1000)
        .run(
            run -> {
              TestDatabase database = POSTGRES.database();
              LeakCheck.of()
                  .threads("aquifer-")
                  .database(database)
                  .around(() -> change(run, database));
            });
  }

  private static void change(Proof.Run run, TestDatabase database) {
    SplittableRandom random = new SplittableRandom(run.seed());
    Traffic traffic = new Traffic();
    try (ReplicaSet set = Sets.of(database).observer(traffic).build()) {
      Sets.awaitReplicas(set, 2);
      long begun = System.nanoTime();
      try (traffic) {
        traffic.start(set, 16, PER_SECOND);
        for (int i = 0; i < run.tries(); i++) {
          run.tried(1);
          change(set, random, database.standbyUrls().get(random.nextInt(2)));
          traffic.awaitMore(20 + random.nextInt(60));
        }
      }
      double seconds = (System.nanoTime() - begun) / 1e9;
      run.detail("reads", traffic.reads.get());
      run.detail("reads a second", traffic.reads.get() / seconds);
      run.detail("errors", traffic.errors.size());
      run.detail("slowest, ms", traffic.slowest.get() / 1e6);
      assertThat(traffic.errors).isEmpty();
      assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
    }
  }

  private static void change(ReplicaSet set, SplittableRandom random, String url) {
    String name = url.substring(url.indexOf("//") + 2);
    if (set.health().node(name).isEmpty()) {
      set.add(url, 1 + random.nextInt(3));
      return;
    }
    switch (random.nextInt(4)) {
      case 0 -> assertThat(set.remove(name, SOON)).as("nothing was cut off").isTrue();
      case 1 -> set.weight(name, 1 + random.nextInt(9));
      case 2 -> set.drain(name);
      default -> set.resume(name);
    }
  }
}
