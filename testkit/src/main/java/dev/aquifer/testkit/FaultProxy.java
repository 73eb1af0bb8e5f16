package dev.aquifer.testkit;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TCP proxy on loopback in front of a server, which does to the connections what a bad network
 * does.
 *
 * <pre>{@code
 * try (FaultProxy proxy = FaultProxy.to(redis.host(), redis.port())) {
 *   proxy.delay(Duration.ofMillis(80));
 *   proxy.reset();
 *   proxy.heal();
 * }
 * }</pre>
 *
 * <p>Faults last until {@link #heal}; {@link #halfClose} and {@link #reset} happen once, to the
 * connections there are. A fault is in effect when its method returns.
 *
 * <p>One daemon thread moves all bytes, by non-blocking channels: a delay shifts each piece of data
 * by that much and does not add up. Thread-safe.
 */
public final class FaultProxy implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FaultProxy.class);
  private static final Duration COMMAND_LIMIT = Duration.ofSeconds(10);

  private final InetSocketAddress target;
  private final int port;
  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
  private final ProxyTraffic traffic = new ProxyTraffic();
  private volatile boolean closing;

  // Touched by the proxy's thread only.
  private final Set<ProxyLink> links = new LinkedHashSet<>();
  private @Nullable ServerSocketChannel listener;
  private ProxyFaults faults = ProxyFaults.NONE;
  private int made;

  private FaultProxy(InetSocketAddress target) throws IOException {
    this.target = target;
    this.selector = Selector.open();
    this.port = Ports.free();
    listen();
    this.thread = new Thread(this::loop, "aquifer-fault-proxy-" + port);
    thread.setDaemon(true);
    thread.start();
  }

  /** Starts a proxy, on a free port, in front of a server that need not be up yet. */
  public static FaultProxy to(String host, int port) {
    try {
      return new FaultProxy(new InetSocketAddress(host, port));
    } catch (IOException e) {
      throw new TestkitException("no proxy in front of " + host + ":" + port, e);
    }
  }

  /** Always {@code 127.0.0.1}. */
  public String host() {
    return PostgresCluster.HOST;
  }

  /** The port to connect to. */
  public int port() {
    return port;
  }

  /**
   * Delivers everything that comes from now on that much later, in both directions, in order.
   *
   * @param delay not negative; zero ends the delay
   */
  public void delay(Duration delay) {
    delay(delay, false);
  }

  /**
   * The same for every other connection alone, the second that was made being the first of them:
   * what one of them says overtakes what another one does.
   */
  public void delayEveryOther(Duration delay) {
    delay(delay, true);
  }

  private void delay(Duration delay, boolean others) {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("delay " + delay + " is negative");
    }
    command(() -> faults = faults.withDelay(delay, others));
  }

  /**
   * Loses everything that is sent, in both directions, ends of connections included, without a
   * word: connections stay open and nothing arrives. New connections are taken and lead nowhere. A
   * connection that lost something is reset by {@link #heal}.
   */
  public void drop() {
    command(() -> faults = faults.withMode(ProxyFaults.Mode.DROP));
  }

  /**
   * Takes nothing more from either side until {@link #heal}, so that the senders' buffers fill and
   * their writes block. Nothing is lost.
   */
  public void stopReading() {
    command(() -> faults = faults.withMode(ProxyFaults.Mode.STOP_READING));
  }

  /**
   * Ends the stream from the server to the client of each present connection, as a server does that
   * shut down its output; what the client sends still arrives.
   */
  public void halfClose() {
    command(() -> links.forEach(ProxyLink::endTowardsClient));
  }

  /** Breaks each present connection with a reset (RST) on both sides. */
  public void reset() {
    command(() -> List.copyOf(links).forEach(ProxyLink::reset));
  }

  /** Refuses new connections, as a host does where nobody listens; present ones go on. */
  public void refuse() {
    command(this::stopListening);
  }

  /** Ends all faults. Connections that lost something are reset; the others go on. */
  public void heal() {
    command(
        () -> {
          faults = ProxyFaults.NONE;
          List.copyOf(links).forEach(ProxyLink::resetIfLossy);
          if (listener == null) {
            listen();
          }
        });
  }

  /** How many clients are connected through the proxy. */
  public int connections() {
    return traffic.connections();
  }

  /** How many connections were taken in all. */
  public long accepted() {
    return traffic.accepted();
  }

  /** How many bytes were delivered to the server. */
  public long bytesToServer() {
    return traffic.toServer();
  }

  /** How many bytes were delivered to clients. */
  public long bytesToClient() {
    return traffic.toClient();
  }

  /** Closes the port and all connections; the thread has ended when this returns. */
  @Override
  public void close() {
    closing = true;
    selector.wakeup();
    try {
      thread.join(COMMAND_LIMIT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return "FaultProxy " + host() + ":" + port + " -> " + target;
  }

  /** Runs a change on the proxy's thread and waits until it is made. */
  private void command(Command change) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    commands.add(
        () -> {
          try {
            change.run();
            done.complete(null);
          } catch (IOException | RuntimeException e) {
            done.completeExceptionally(e);
          }
        });
    if (closing) {
      throw new IllegalStateException(this + " is closed");
    }
    selector.wakeup();
    try {
      done.get(COMMAND_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestkitException("interrupted while changing " + this, e);
    } catch (ExecutionException | TimeoutException e) {
      throw new TestkitException(this + " did not take a change", e);
    }
  }

  private void listen() throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      channel.bind(new InetSocketAddress(Ports.loopback(), port), 128);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_ACCEPT);
      listener = channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private void stopListening() throws IOException {
    if (listener != null) {
      listener.close();
      listener = null;
      // The port is free only once the selector has let go of the closed channel.
      selector.selectNow();
    }
  }

  private void loop() {
    try {
      while (!closing) {
        selector.select(this::ready, selectMillis());
        for (Runnable change = commands.poll(); change != null; change = commands.poll()) {
          change.run();
        }
        long now = System.nanoTime();
        List.copyOf(links).forEach(link -> link.turn(faults, now));
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("{} ended", this, e);
    } finally {
      closing = true;
      List.copyOf(links).forEach(ProxyLink::close);
      try {
        stopListening();
        selector.close();
      } catch (IOException e) {
        LOG.debug("{} did not close cleanly", this, e);
      }
    }
  }

  /** Until the next piece of data is due; 0 waits for an event. */
  private long selectMillis() {
    long now = System.nanoTime();
    long nearest = Long.MAX_VALUE;
    for (ProxyLink link : links) {
      nearest = Math.min(nearest, link.nanosToDue(now));
    }
    return nearest == Long.MAX_VALUE ? 0 : Math.max(1, TimeUnit.NANOSECONDS.toMillis(nearest));
  }

  private void ready(SelectionKey key) {
    if (!key.isValid()) {
      return;
    }
    if (key.isAcceptable()) {
      accept();
    } else if (key.isConnectable() && key.attachment() instanceof ProxyLink link) {
      link.finishConnect();
    }
    // Reads and writes are tried for every link in its turn.
  }

  private void accept() {
    ServerSocketChannel current = listener;
    if (current == null) {
      return;
    }
    try {
      SocketChannel client = current.accept();
      if (client != null) {
        links.add(new ProxyLink(client, target, selector, traffic, links::remove, ++made % 2 == 0));
      }
    } catch (IOException e) {
      LOG.debug("{} could not take a connection", this, e);
    }
  }

  /** A change to the proxy. */
  @FunctionalInterface
  private interface Command {
    void run() throws IOException;
  }
}
