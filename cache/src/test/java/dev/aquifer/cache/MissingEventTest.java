package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An event is heard while what came before it is missing, and Redis cannot say what that was. */
class MissingEventTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(10);
  private static final Tenant LAX = Tenant.of("LAX");

  private final AtomicInteger loads = new AtomicInteger();
  private TestNode node;

  @BeforeEach
  void open() throws Exception {
    REDIS.database().flush();
    node =
        TestNode.open(
            REDIS.database().uri().toString(),
            caches -> caches.silenceLimit(Duration.ofMillis(800)));
    Eventually.within(SOON).until("DFW is in memory", () -> remembers(DFW));
    Eventually.within(SOON).until("LAX is in memory", () -> remembers(LAX));
  }

  @AfterEach
  void close() {
    node.close();
  }

  private Flight read(Tenant tenant) throws Exception {
    return tenant.call(
        () -> node.flights().get(1L, id -> new Flight(id, "HNL", loads.incrementAndGet())));
  }

  /** Whether what was just read is kept. */
  private boolean remembers(Tenant tenant) throws Exception {
    read(tenant);
    int before = loads.get();
    read(tenant);
    return loads.get() == before;
  }

  /** Redis has nothing to say of the partition, of which something unknown is published. */
  private void lose(Partition partition) {
    REDIS.database().command("DEL", text(partition.stored.position));
    heal(partition);
    REDIS.database().command("SET", text(partition.stored.state), "of another kind");
    REDIS
        .database()
        .command(
            "PUBLISH",
            text(EventStream.channel(partition, REDIS.database().index())),
            "abc 7 " + Names.write(List.of(FLIGHT.toString())));
  }

  private static void heal(Partition partition) {
    REDIS.database().command("DEL", text(partition.stored.state));
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.UTF_8);
  }

  @Test
  void ofATenant_holdsUpThatTenantAlone() throws Exception {
    Partition partition = node.partition();
    lose(partition);
    Eventually.within(SOON).until("heard", partition::lacks);
    Eventually.within(SOON).until("DFW loads each time", () -> !remembers(DFW));
    assertThat(partition.lacks()).isTrue();
    assertThat(node.caches().health().proven()).isTrue();
    int before = loads.get();
    read(LAX);
    assertThat(loads).hasValue(before);
    heal(partition);
    Eventually.within(SOON).until("known", () -> !partition.lacks());
    Eventually.within(SOON).until("DFW is in memory", () -> remembers(DFW));
  }

  @Test
  void ofAllTenants_holdsUpAll() throws Exception {
    Partition shared = node.caches().node().shared;
    lose(shared);
    Eventually.within(SOON).until("heard", shared::lacks);
    Eventually.within(SOON).until("not proven", () -> !node.caches().health().proven());
    Eventually.within(SOON).until("LAX loads each time", () -> !remembers(LAX));
    assertThat(shared.lacks()).isTrue();
    heal(shared);
    Eventually.within(SOON).until("proven", () -> node.caches().health().proven());
    Eventually.within(SOON).until("LAX is in memory", () -> remembers(LAX));
  }

  @Test
  void ofTheFirstOfSeveralPartitions_holdsUpTheOthers() throws Exception {
    node.close();
    node =
        TestNode.open(
            REDIS.database().uri().toString(),
            caches -> caches.silenceLimit(Duration.ofMillis(800)).partitions(DFW, 4));
    read(DFW);
    Partition first = node.partition();
    lose(first);
    Eventually.within(SOON).until("heard", first::lacks);
    for (Partition other : first.others) {
      assertThat(other.provenAt(Long.MAX_VALUE)).isLessThan(Long.MAX_VALUE);
    }
    heal(first);
    Eventually.within(SOON).until("known", () -> !node.partition().lacks());
  }
}
