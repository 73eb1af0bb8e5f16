package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class BodyStreamTest {
  private static BodyStream stream(Duration limit) {
    BodyStream stream = new BodyStream(System.nanoTime() + limit.toNanos());
    stream.onNext(List.of(ByteBuffer.wrap(new byte[] {7})));
    stream.onNext(List.of(ByteBuffer.wrap(new byte[] {8})));
    stream.onComplete();
    return stream;
  }

  @Test
  void read_inTime_isTheWholeBody() throws Exception {
    try (BodyStream body = stream(Duration.ofSeconds(30))) {
      assertThat(body.readAllBytes()).containsExactly(7, 8);
    }
  }

  /** Who reads slowly has the same limit: what is there already is no reason to go on. */
  @Test
  void read_afterTheLimit_failsThoughMoreIsThere() throws Exception {
    try (BodyStream body = stream(Duration.ZERO)) {
      assertThatThrownBy(body::read).isInstanceOf(HttpTimeoutException.class);
    }
  }
}
