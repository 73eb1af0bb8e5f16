package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Why Redis does not let a node in is said for certain, with what to do, and without secrets. */
class RefusedTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final String SECRET = "hush-hush";

  // As in docs/redis.md.
  static final String RULES =
      "~aq:* resetchannels &aq:* -@all +hello +auth +ping +select +client|setname +client|setinfo"
          + " +script|load +eval +evalsha +psubscribe +publish +time +get +mget +set +psetex +del +pttl"
          + " +pexpire +hmget +hset +hget +hdel +hlen +hgetall +xadd +xrange +info";

  private static AbstractThrowableAssert<?, ?> refusal(String uri) {
    return refusal(uri, LIMIT);
  }

  private static AbstractThrowableAssert<?, ?> refusal(String uri, Duration limit) {
    return assertThatThrownBy(() -> Caches.builder().redis(uri).connectTimeout(limit).build())
        .isInstanceOf(UnavailableException.class)
        .satisfies(error -> assertThat(trace(error)).doesNotContain(SECRET));
  }

  private static String trace(Throwable error) {
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  private static String at(RedisServer server, String credentials) {
    return "redis://" + credentials + server.host() + ":" + server.port();
  }

  @Test
  void build_wrongOrMissingCredentials_saysWhich() {
    try (RedisServer server =
        RedisServer.builder().password("right").user("aq", "right", RULES).start()) {
      for (String wrong : List.of(":" + SECRET + "@", "aq:" + SECRET + "@", "no:" + SECRET + "@")) {
        refusal(at(server, wrong))
            .hasMessageContaining(server.host() + ":" + server.port())
            .hasMessageContaining("refused user and password");
      }
      refusal(at(server, "")).hasMessageContaining("demands user and password");
    }
  }

  @Test
  void build_userWithoutAPermission_namesIt() {
    try (RedisServer server =
        RedisServer.builder()
            .user("noload", SECRET, RULES.replace("+script|load", ""))
            .user("deaf", SECRET, RULES.replace("&aq:*", "&other:*"))
            .start()) {
      refusal(at(server, "noload:" + SECRET + "@"))
          .hasMessageContaining("SCRIPT")
          .hasMessageContaining("user's rules");
      refusal(at(server, "deaf:" + SECRET + "@")).hasMessageContaining("channels aq:*");
    }
  }

  @Test
  void user_withTheDocumentedRules_mayDoAllThatIsNeeded() {
    try (RedisServer server = RedisServer.builder().user("aq", SECRET, RULES).start();
        TestNode one = TestNode.open(at(server, "aq:" + SECRET + "@") + "/1");
        TestNode two = TestNode.open(at(server, "aq:" + SECRET + "@") + "/1")) {
      assertThat(one.read(1, id -> new Flight(id, "HNL", 0)).delay()).isZero();
      Eventually.within(LIMIT)
          .until("in Redis", () -> TestNode.as(() -> two.flights().getIfPresent(1L)) != null);
      one.invalidate(TestNode.FLIGHT);
      Eventually.within(LIMIT)
          .until("two", () -> two.read(1, id -> new Flight(id, "HNL", 1)).delay() == 1);
      one.caches().limits(Limits.builder().loads(9, 99).invalidations(9, 99).shared(true).build());
      TestNode.DFW.run(() -> one.caches().invalidateTenant());
      assertThat(one.read(1, id -> new Flight(id, "HNL", 2)).delay()).isEqualTo(2);
      Eventually.within(LIMIT)
          .until(
              "counted in Redis",
              () -> ((List<?>) server.command("ACL", "LOG")).isEmpty() && buckets(server) == 2);
      TestNode.DFW.run(() -> one.flights().invalidate(1L));
      assertThat(one.caches().health().pending()).isZero();
      assertThat(one.faults()).isEmpty();
      assertThat(String.valueOf(server.command("ACL", "LOG"))).isEqualTo("[]");
      assertThat(String.valueOf(server.command("CLIENT", "LIST")))
          .contains("name=" + RedisAddress.clientName(System.getenv("HOSTNAME")));
    }
  }

  /** In the database of the test's nodes. */
  private static long buckets(RedisServer server) {
    Object count =
        server.command(
            "EVAL",
            "redis.call('SELECT', 1) return #redis.call('KEYS', ARGV[1])",
            "0",
            "aq:{DFW}:b:*");
    return Long.parseLong(String.valueOf(count));
  }

  @Test
  void build_nobodyThere_saysSo() throws Exception {
    try (RedisServer server = RedisServer.start()) {
      String uri = server.uri().toString();
      server.kill();
      refusal(uri).hasMessageContaining("nothing listens there");
      server.restart();
      server.pause();
      refusal(uri, Duration.ofMillis(300)).hasMessageContaining("nothing came back within");
      server.resume();
    }
    refusal("redis://no-such-host.invalid:6379").hasMessageContaining("name cannot be resolved");
  }

  @Test
  void build_somethingElseThere_saysSo() throws Exception {
    try (Answering web = new Answering("HTTP/1.1 400 Bad Request\r\n\r\n");
        Answering mute = new Answering("")) {
      refusal("redis://127.0.0.1:" + web.port()).hasMessageContaining("is not Redis");
      refusal("redis://127.0.0.1:" + mute.port()).hasMessageContaining("closed the connection");
    }
    refusal(
            "rediss://" + REDIS.server().host() + ":" + REDIS.server().port(),
            Duration.ofSeconds(2))
        .hasMessageContaining("TLS");
    refusal("redis-cluster://" + REDIS.server().host() + ":" + REDIS.server().port())
        .hasMessageContaining("no cluster");
  }

  @Test
  void build_addressThatCannotBe_isRefused() {
    for (String wrong :
        List.of("", "redis://", "http://h/" + SECRET, "redis-cluster://:" + SECRET + "@")) {
      assertThatThrownBy(() -> Caches.builder().redis(wrong).build())
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("redis-cluster://")
          .satisfies(error -> assertThat(trace(error)).doesNotContain(SECRET));
    }
    assertThatThrownBy(() -> Caches.builder().redis("redis-cluster://h1:1,h2:2/3").build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("database 3");
  }

  @Test
  void health_ofOneServer_namesItAndNoSecret() {
    try (RedisServer server = RedisServer.builder().password(SECRET).start();
        FaultProxy proxy = FaultProxy.to(server.host(), server.port());
        TestNode node =
            TestNode.open("redis://:" + SECRET + "@" + proxy.host() + ":" + proxy.port())) {
      CacheHealth health = node.caches().health();
      assertThat(health.kind()).isEqualTo(CacheHealth.Kind.STANDALONE);
      assertThat(health.servers()).singleElement().matches(CacheHealth.Server::subscribed);
      assertThat(health.toString())
          .contains(proxy.host() + ":" + proxy.port())
          .doesNotContain(SECRET);
      proxy.refuse();
      proxy.reset();
      Eventually.within(LIMIT)
          .until(
              "shown",
              () -> node.caches().health().servers().stream().noneMatch(s -> s.subscribed()));
    }
  }

  /** Takes connections, says one thing, and closes them. */
  private static final class Answering implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());

    Answering(String text) throws IOException {
      Thread thread =
          new Thread(
              () -> {
                while (!socket.isClosed()) {
                  try (Socket client = socket.accept()) {
                    if (client.getInputStream().read() >= 0) {
                      client.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
                    }
                  } catch (IOException e) {
                    // The client went, or the test is over.
                  }
                }
              },
              "answering");
      thread.setDaemon(true);
      thread.start();
    }

    int port() {
      return socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
