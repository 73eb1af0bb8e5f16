package dev.aquifer.tsquery;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of an HTTP answer as a stream whose reads end at a deadline. The platform's own stream
 * waits for a server that has gone silent in mid-answer for ever.
 */
final class BodyStream extends InputStream implements BodySubscriber<InputStream> {
  private record Part(List<ByteBuffer> buffers, boolean last, @Nullable Throwable error) {}

  private final long deadline;
  private final LinkedBlockingQueue<Part> parts = new LinkedBlockingQueue<>();
  private final Deque<ByteBuffer> current = new ArrayDeque<>();
  private volatile Flow.@Nullable Subscription subscription;
  private boolean ended;

  /**
   * A body that must be read by then.
   *
   * @param deadline of {@link System#nanoTime}
   */
  BodyStream(long deadline) {
    this.deadline = deadline;
  }

  @Override
  public CompletionStage<InputStream> getBody() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(1);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    parts.add(new Part(buffers, false, null));
  }

  @Override
  public void onError(Throwable error) {
    parts.add(new Part(List.of(), true, error));
  }

  @Override
  public void onComplete() {
    parts.add(new Part(List.of(), true, null));
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    ByteBuffer buffer = next();
    if (buffer == null) {
      return -1;
    }
    int count = Math.min(length, buffer.remaining());
    buffer.get(into, offset, count);
    return count;
  }

  @Override
  public void close() {
    ended = true;
    current.clear();
    Flow.Subscription given = subscription;
    if (given != null) {
      given.cancel();
    }
  }

  private @Nullable ByteBuffer next() throws IOException {
    while (true) {
      ByteBuffer buffer = current.peekFirst();
      if (buffer != null && buffer.hasRemaining()) {
        return buffer;
      }
      if (buffer != null) {
        current.removeFirst();
      } else if (ended) {
        return null;
      } else {
        take();
      }
    }
  }

  private void take() throws IOException {
    Part part;
    long left = deadline - System.nanoTime();
    try {
      // What is there already does not count when its time is up.
      part = left > 0 ? parts.poll(left, TimeUnit.NANOSECONDS) : null;
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading an answer");
    }
    if (part == null) {
      close();
      throw new HttpTimeoutException("the answer broke off in the middle");
    }
    if (part.error != null) {
      throw new IOException("the connection broke in mid-answer", part.error);
    }
    ended = part.last;
    current.addAll(part.buffers);
    Flow.Subscription given = subscription;
    if (!ended && given != null) {
      given.request(1);
    }
  }
}
