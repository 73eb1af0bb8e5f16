package dev.aquifer.replica;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A relay in front of a PostgreSQL server that reads the protocol, unencrypted, and counts what the
 * client waits for the server for: each Sync and each simple Query is a round trip, unless the
 * driver sends the next one without waiting, as it does after BEGIN.
 */
final class RoundTrips implements AutoCloseable {
  private static final int LARGEST = 1 << 20;

  private final AtomicLong count = new AtomicLong();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final ServerSocket listener;
  private final int target;

  RoundTrips(int target) throws IOException {
    this.target = target;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  /** The URL of a database on the server, by way of the relay. */
  String url(String database) {
    return "jdbc:postgresql://127.0.0.1:%d/%s?sslmode=disable&gssEncMode=disable"
        .formatted(listener.getLocalPort(), database);
  }

  /** How many there were, those of the log-in left out. */
  long count() {
    return count.get();
  }

  private static void start(Body body) {
    Thread thread =
        new Thread(
            () -> {
              try {
                body.run();
              } catch (IOException e) {
                // One side ended; the other one is told by its socket.
              }
            },
            "round-trips");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
      sockets.addAll(List.of(client, server));
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      start(() -> closing(client, server, () -> count(client, server)));
      start(() -> closing(client, server, () -> copy(server, client)));
    }
  }

  private static void closing(Socket one, Socket two, Body body) throws IOException {
    try (one;
        two) {
      body.run();
    }
  }

  private void count(Socket client, Socket server) throws IOException {
    DataInputStream in = new DataInputStream(client.getInputStream());
    DataOutputStream out = new DataOutputStream(server.getOutputStream());
    // The first message alone has no type.
    pass(in, out, 0);
    while (true) {
      int type = in.readUnsignedByte();
      pass(in, out, type);
      if (type == 'S' || type == 'Q') {
        count.incrementAndGet();
      }
    }
  }

  private static void pass(DataInputStream in, DataOutputStream out, int type) throws IOException {
    int length = in.readInt();
    if (length < 4 || length > LARGEST) {
      throw new IOException("a message of " + length + " bytes");
    }
    byte[] body = in.readNBytes(length - 4);
    byte[] whole = new byte[body.length + (type == 0 ? 4 : 5)];
    int at = 0;
    if (type != 0) {
      whole[at++] = (byte) type;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
      whole[at++] = (byte) (length >>> shift);
    }
    System.arraycopy(body, 0, whole, at, body.length);
    out.write(whole);
    out.flush();
  }

  private static void copy(Socket from, Socket to) throws IOException {
    InputStream in = from.getInputStream();
    in.transferTo(to.getOutputStream());
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  @FunctionalInterface
  private interface Body {
    void run() throws IOException;
  }
}
