package dev.aquifer.testkit;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection through a proxy: a channel to either side and a stream each way. For the
 * proxy's thread only.
 */
final class ProxyLink {
  private static final int PIECE = 16 * 1024;
  private static final long MAX_QUEUED = 1 << 20;

  private final SocketChannel client;
  private final SocketChannel server;
  private final SelectionKey clientKey;
  private final SelectionKey serverKey;
  private final InetSocketAddress target;
  private final ProxyTraffic traffic;
  private final Consumer<ProxyLink> onClose;
  private final boolean other;
  private final Stream toServer = new Stream(true);
  private final Stream toClient = new Stream(false);
  private boolean connecting;
  private boolean connected;
  private boolean lossy;
  private boolean open = true;

  ProxyLink(
      SocketChannel client,
      InetSocketAddress target,
      Selector selector,
      ProxyTraffic traffic,
      Consumer<ProxyLink> onClose,
      boolean other)
      throws IOException {
    this.other = other;
    this.client = client;
    this.target = target;
    this.traffic = traffic;
    this.onClose = onClose;
    this.server = SocketChannel.open();
    this.clientKey = register(client, selector);
    this.serverKey = register(server, selector);
    traffic.opened();
  }

  private SelectionKey register(SocketChannel channel, Selector selector) throws IOException {
    channel.configureBlocking(false);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return channel.register(selector, 0, this);
  }

  /** Moves what can be moved now and says what to wait for. */
  void turn(ProxyFaults faults, long now) {
    if (!open) {
      return;
    }
    try {
      connectIfNeeded(faults);
      if (!open) {
        return;
      }
      toServer.read(client, faults, now);
      toClient.read(server, faults, now);
      toServer.write(server, now);
      toClient.write(client, now);
      if (toServer.ended && toClient.ended) {
        close();
      } else {
        clientKey.interestOps(interest(toServer, toClient, faults));
        serverKey.interestOps(
            connecting ? SelectionKey.OP_CONNECT : interest(toClient, toServer, faults));
      }
    } catch (IOException e) {
      // One side broke the connection: the other one is to see the same.
      reset();
    }
  }

  private static int interest(Stream in, Stream out, ProxyFaults faults) {
    return (in.mayRead(faults) ? SelectionKey.OP_READ : 0)
        | (out.blocked ? SelectionKey.OP_WRITE : 0);
  }

  private void connectIfNeeded(ProxyFaults faults) throws IOException {
    if (connecting || connected) {
      return;
    }
    if (faults.mode() == ProxyFaults.Mode.DROP) {
      lossy = true;
      return;
    }
    connecting = true;
    if (server.connect(target)) {
      finishConnect();
    }
  }

  void finishConnect() {
    try {
      if (open && server.finishConnect()) {
        connecting = false;
        connected = true;
      }
    } catch (IOException e) {
      reset();
    }
  }

  long nanosToDue(long now) {
    return Math.min(toServer.nanosToDue(now), toClient.nanosToDue(now));
  }

  void endTowardsClient() {
    toClient.endNow();
    try {
      client.shutdownOutput();
    } catch (IOException e) {
      reset();
    }
  }

  void resetIfLossy() {
    if (lossy) {
      reset();
    }
  }

  void reset() {
    try {
      client.setOption(StandardSocketOptions.SO_LINGER, 0);
      if (connected) {
        server.setOption(StandardSocketOptions.SO_LINGER, 0);
      }
    } catch (IOException e) {
      // Closed by its other end already: there is nothing to linger for.
      lossy = true;
    }
    close();
  }

  void close() {
    if (!open) {
      return;
    }
    open = false;
    for (SocketChannel channel : new SocketChannel[] {client, server}) {
      try {
        channel.close();
      } catch (IOException e) {
        lossy = true;
      }
    }
    traffic.closed();
    onClose.accept(this);
  }

  /** A piece of the stream and when to deliver it; no bytes: the stream's end. */
  private record Piece(@Nullable ByteBuffer bytes, long due) {}

  /** One direction. */
  private final class Stream {
    private final boolean towardsServer;
    private final Deque<Piece> queue = new ArrayDeque<>();
    private long queued;
    private boolean sourceEnded;
    private boolean ended;
    private boolean blocked;
    private boolean discarding;

    Stream(boolean towardsServer) {
      this.towardsServer = towardsServer;
    }

    boolean mayRead(ProxyFaults faults) {
      boolean dropping = faults.mode() == ProxyFaults.Mode.DROP;
      return !sourceEnded
          && faults.mode() != ProxyFaults.Mode.STOP_READING
          && (dropping || (connected && queued < MAX_QUEUED))
          && (towardsServer || connected);
    }

    void read(SocketChannel source, ProxyFaults faults, long now) throws IOException {
      boolean dropping = faults.mode() == ProxyFaults.Mode.DROP;
      long delay = other || !faults.delayOthers() ? faults.delayNanos() : 0;
      while (mayRead(faults)) {
        ByteBuffer bytes = ByteBuffer.allocate(PIECE);
        int count = source.read(bytes);
        if (count == 0) {
          return;
        }
        sourceEnded = count < 0;
        if (dropping) {
          lossy = true;
        } else if (!discarding) {
          queue.add(new Piece(count < 0 ? null : bytes.flip(), now + delay));
          queued += Math.max(0, count);
        }
      }
    }

    void write(SocketChannel sink, long now) throws IOException {
      blocked = false;
      while (connected && !queue.isEmpty() && queue.peek().due() - now <= 0) {
        ByteBuffer bytes = queue.peek().bytes();
        if (bytes == null) {
          queue.remove();
          ended = true;
          sink.shutdownOutput();
        } else {
          int written = sink.write(bytes);
          queued -= written;
          traffic.delivered(towardsServer, written);
          if (bytes.hasRemaining()) {
            blocked = true;
            return;
          }
          queue.remove();
        }
      }
    }

    /** Ends the stream for its receiver; what its sender still sends is taken and thrown away. */
    void endNow() {
      queue.clear();
      queued = 0;
      ended = true;
      discarding = true;
    }

    long nanosToDue(long now) {
      Piece first = queue.peek();
      return first == null || blocked || !connected
          ? Long.MAX_VALUE
          : Math.max(0, first.due() - now);
    }
  }
}
