package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@RedisTest
class FaultProxyTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  private final RedisServer redis;
  private FaultProxy proxy;

  FaultProxyTest(RedisServer redis) {
    this.redis = redis;
    this.proxy = FaultProxy.to(redis.host(), redis.port());
  }

  @BeforeEach
  void passes() throws IOException {
    assertThat(ping()).isEqualTo("PONG");
  }

  @AfterEach
  void close_leavesNoThread() {
    String thread = "aquifer-fault-proxy-" + proxy.port();
    assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName).contains(thread);
    proxy.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .doesNotContain(thread);
    assertThatThrownBy(this::ping).isInstanceOf(ConnectException.class);
  }

  @Test
  void delay_ofBothDirections_makesEachAnswerThatLate() throws IOException {
    proxy.delay(Duration.ofMillis(250));
    try (RespConnection connection = connect(SOON)) {
      long start = System.nanoTime();
      connection.command(List.of("PING"));
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(500), SOON);
      proxy.heal();
      start = System.nanoTime();
      connection.command(List.of("PING"));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(500));
    }
  }

  @Test
  void delay_ofManyPieces_doesNotAddUp() throws IOException {
    proxy.delay(Duration.ofMillis(100));
    byte[] ping = "*1\r\n$4\r\nPING\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    try (Socket socket = new Socket(Ports.loopback(), proxy.port())) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) SOON.toMillis());
      long start = System.nanoTime();
      for (int i = 0; i < 50; i++) {
        socket.getOutputStream().write(ping);
      }
      byte[] answers = socket.getInputStream().readNBytes(50 * 7);
      assertThat(answers).hasSize(350);
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(200), Duration.ofSeconds(4));
    }
  }

  @Test
  void drop_letsNothingArriveAndHealResetsWhatLost() throws IOException {
    try (RespConnection hit = connect(Duration.ofMillis(200));
        RespConnection idle = connect(SOON)) {
      idle.command(List.of("PING"));
      long before = proxy.bytesToServer();
      proxy.drop();
      assertThatThrownBy(() -> hit.command(List.of("PING")))
          .isInstanceOf(SocketTimeoutException.class);
      try (RespConnection opened = connect(Duration.ofMillis(200))) {
        assertThatThrownBy(() -> opened.command(List.of("PING")))
            .isInstanceOf(SocketTimeoutException.class);
      }
      assertThat(proxy.bytesToServer()).isEqualTo(before);

      proxy.heal();

      assertThatThrownBy(() -> hit.command(List.of("PING"))).isInstanceOf(IOException.class);
      assertThat(idle.command(List.of("PING"))).isEqualTo("PONG");
      assertThat(ping()).isEqualTo("PONG");
    }
  }

  @Test
  void stopReading_blocksSendersAndLosesNothing() throws IOException {
    try (RespConnection connection = connect(SOON);
        SocketChannel writer =
            SocketChannel.open(new InetSocketAddress(Ports.loopback(), proxy.port()))) {
      connection.command(List.of("SET", "before", "x"));
      proxy.stopReading();
      writer.configureBlocking(false);
      ByteBuffer piece = ByteBuffer.wrap(new byte[1 << 16]);
      Eventually.within(SOON)
          .every(Duration.ofMillis(20))
          .until(
              "sender's buffer is full",
              () -> {
                int written = 0;
                for (int count = 1; count > 0; written += count) {
                  count = writer.write(piece.clear());
                }
                return written == 0;
              });
      proxy.heal();
      assertThat(connection.command(List.of("GET", "before"))).isEqualTo("x");
    }
  }

  @Test
  void halfClose_endsTheServersStreamOnly() throws IOException {
    try (RespConnection connection = connect(SOON)) {
      connection.command(List.of("PING"));
      proxy.halfClose();
      assertThatThrownBy(() -> connection.command(List.of("SET", "half", "closed")))
          .isInstanceOf(EOFException.class);
      Eventually.within(SOON)
          .until("the write arrived", () -> "closed".equals(redis.command("GET", "half")));
    }
  }

  @Test
  void reset_breaksPresentConnections() throws IOException {
    try (RespConnection connection = connect(SOON)) {
      connection.command(List.of("PING"));
      Eventually.within(SOON).until("only this one", () -> proxy.connections() == 1);
      proxy.reset();
      assertThat(proxy.connections()).isZero();
      assertThatThrownBy(() -> connection.command(List.of("PING")))
          .isInstanceOf(SocketException.class);
      assertThat(ping()).isEqualTo("PONG");
    }
  }

  @Test
  void refuse_refusesNewConnectionsOnly() throws IOException {
    try (RespConnection connection = connect(SOON)) {
      connection.command(List.of("PING"));
      proxy.refuse();
      assertThatThrownBy(this::ping).isInstanceOf(ConnectException.class);
      assertThat(connection.command(List.of("PING"))).isEqualTo("PONG");
      proxy.heal();
      assertThat(ping()).isEqualTo("PONG");
    }
  }

  @Test
  void target_thatIsDown_resetsTheClient() {
    try (FaultProxy nowhere = FaultProxy.to("127.0.0.1", Ports.free())) {
      assertThatThrownBy(
              () -> {
                try (RespConnection connection = new RespConnection(nowhere.port(), SOON)) {
                  connection.command(List.of("PING"));
                }
              })
          .isInstanceOf(IOException.class);
      assertThat(nowhere.accepted()).isEqualTo(1);
    }
  }

  @Test
  void bytes_areCountedBothWays() throws IOException {
    long answer = "+PONG\r\n".length();
    // An answer may be here before it is counted as delivered: also the one from before this test.
    Eventually.within(SOON)
        .until("the first answer is counted", () -> proxy.bytesToClient() == answer);
    long to = proxy.bytesToServer();
    ping();
    assertThat(proxy.bytesToServer() - to).isEqualTo("*1\r\n$4\r\nPING\r\n".length());
    Eventually.within(SOON)
        .until("the answer is counted", () -> proxy.bytesToClient() == 2 * answer);
  }

  private RespConnection connect(Duration limit) throws IOException {
    return new RespConnection(proxy.port(), limit);
  }

  private Object ping() throws IOException {
    try (RespConnection connection = connect(SOON)) {
      return String.valueOf(connection.command(List.of("PING")));
    }
  }
}
