package dev.aquifer.testkit;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A connection that speaks Redis' protocol (RESP 2), for the kit's own commands: strings in, and a
 * string, a {@code Long}, a list or null out. For one thread at a time.
 */
final class RespConnection implements AutoCloseable {
  private static final int MAX_BULK = 64 << 20;
  private static final int MAX_ARRAY = 1 << 20;

  private final Socket socket;
  private final InputStream in;

  /** Connects; each read waits no longer than {@code limit}. */
  RespConnection(int port, Duration limit) throws IOException {
    this.socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(Ports.loopback(), port), (int) limit.toMillis());
      socket.setSoTimeout((int) limit.toMillis());
      socket.setTcpNoDelay(true);
      this.in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Sends a command and reads its answer.
   *
   * @throws RedisErrorException the server's answer is an error
   */
  @Nullable Object command(List<String> command) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    write(out, "*" + command.size() + "\r\n");
    for (String part : command) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      write(out, "$" + bytes.length + "\r\n");
      out.write(bytes);
      write(out, "\r\n");
    }
    socket.getOutputStream().write(out.toByteArray());
    Object answer = read();
    if (answer instanceof RedisError error) {
      throw new RedisErrorException(error.message());
    }
    return answer;
  }

  private static void write(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
  }

  private @Nullable Object read() throws IOException {
    String line = line();
    if (line.isEmpty()) {
      throw new IOException("an empty line where an answer should begin");
    }
    String rest = line.substring(1);
    return switch (line.charAt(0)) {
      case '+' -> rest;
      case '-' -> new RedisError(rest);
      case ':' -> Long.valueOf(rest);
      case '$' -> bulk(length(rest, MAX_BULK));
      case '*' -> array(length(rest, MAX_ARRAY));
      default -> throw new IOException("not an answer of Redis: " + line);
    };
  }

  private static int length(String text, int max) throws IOException {
    int length = Integer.parseInt(text);
    if (length < -1 || length > max) {
      throw new IOException("length " + length + " is not between -1 and " + max);
    }
    return length;
  }

  private @Nullable String bulk(int length) throws IOException {
    if (length < 0) {
      return null;
    }
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length || !line().isEmpty()) {
      throw new EOFException("the answer is cut short");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private @Nullable List<@Nullable Object> array(int length) throws IOException {
    if (length < 0) {
      return null;
    }
    List<@Nullable Object> elements = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      elements.add(read());
    }
    return elements;
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private record RedisError(String message) {}

  /** An answer that begins with a minus sign. */
  static final class RedisErrorException extends IOException {
    private static final long serialVersionUID = 1L;

    RedisErrorException(String message) {
      super(message);
    }
  }
}
