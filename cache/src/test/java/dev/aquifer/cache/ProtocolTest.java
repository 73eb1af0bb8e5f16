package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisServer;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.GenericMapOutput;
import io.lettuce.core.protocol.CommandType;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Which protocol the connections speak, as the server says. */
class ProtocolTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final AtomicInteger delay = new AtomicInteger();

  private int read(TestNode node) {
    return node.read(1, id -> new Flight(id, "HNL", delay.get())).delay();
  }

  private void writeAndSee(TestNode one, TestNode two) {
    read(one);
    read(two);
    int now = delay.incrementAndGet();
    one.invalidate(FLIGHT);
    assertThat(read(one)).isEqualTo(now);
    Eventually.within(SOON).until("node two", () -> read(two) == now);
  }

  /** What the server answers on the connection itself to {@code HELLO} without a version. */
  private static Map<String, Object> hello(TestNode node) throws Exception {
    RedisLink link = (RedisLink) node.caches().node().remote();
    Map<byte[], Object> answer =
        link.commands()
            .dispatch(CommandType.HELLO, new GenericMapOutput<>(ByteArrayCodec.INSTANCE))
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
    Map<String, Object> read = new HashMap<>();
    answer.forEach((key, value) -> read.put(new String(key, StandardCharsets.US_ASCII), value));
    return read;
  }

  /** The server's lines of the node's connections. */
  private static List<String> listed(RedisServer server) {
    return String.valueOf(server.command("CLIENT", "LIST"))
        .lines()
        .filter(line -> line.contains("name=aquifer-"))
        .toList();
  }

  @Test
  void connections_speakResp3() throws Exception {
    try (RedisServer server = RedisServer.start();
        TestNode one = TestNode.open(server.uri().toString());
        TestNode two = TestNode.open(server.uri().toString())) {
      assertThat(hello(one)).containsEntry("proto", 3L);
      List<String> lines = listed(server);
      assertThat(lines).hasSize(4);
      assertThat(lines.stream().filter(line -> line.contains(" sub=0 psub=1 "))).hasSize(2);
      // Since Redis 7 it lists the protocol of all.
      if (lines.get(0).contains(" resp=")) {
        assertThat(lines).allMatch(line -> line.contains(" resp=3"));
      }
      writeAndSee(one, two);
    }
  }

  @Test
  void connections_serverWithoutHello_speakResp2() {
    try (RedisServer server =
            RedisServer.builder().setting("rename-command", "HELLO \"\"").start();
        TestNode one = TestNode.open(server.uri().toString());
        TestNode two = TestNode.open(server.uri().toString())) {
      List<String> lines = listed(server);
      assertThat(lines).hasSize(4).noneMatch(line -> line.contains(" resp=3"));
      writeAndSee(one, two);
    }
  }
}
