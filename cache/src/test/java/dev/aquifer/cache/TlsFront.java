package dev.aquifer.cache;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/** Takes TLS on loopback and passes on what it hears to a server that has none. */
final class TlsFront implements AutoCloseable {
  private static final String PASSWORD = "changeit";
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private final int target;
  private final Path certificate;
  private final SSLServerSocket socket;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  /**
   * @param target a port on loopback
   * @param names what its certificate says to be, as {@code keytool} takes it: {@code ip:127.0.0.1}
   */
  TlsFront(int target, String names, Path folder) throws Exception {
    this.target = target;
    Path store = Files.createTempDirectory(folder, "tls").resolve("keys.p12");
    this.certificate = Path.of(store + ".pem");
    keytool(
        "-genkeypair -alias redis -keyalg EC -groupname secp256r1 -dname CN=redis -validity 2 -ext SAN="
            + names
            + " -storetype PKCS12 -storepass "
            + PASSWORD
            + " -keystore "
            + store);
    keytool(
        "-exportcert -rfc -alias redis -storepass "
            + PASSWORD
            + " -keystore "
            + store
            + " -file "
            + certificate);
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    this.socket =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 50, LOOPBACK);
    start(this::accept);
  }

  private static void keytool(String arguments) throws Exception {
    Process process =
        new ProcessBuilder(
                (Path.of(System.getProperty("java.home"), "bin", "keytool") + " " + arguments)
                    .split(" ", -1))
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IllegalStateException(said);
    }
  }

  int port() {
    return socket.getLocalPort();
  }

  /** The certificate, in PEM form. */
  Path certificate() {
    return certificate;
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        Socket server = new Socket(LOOPBACK, target);
        open.add(client);
        open.add(server);
        start(() -> pass(client, server));
        start(() -> pass(server, client));
      } catch (IOException e) {
        // Closed, or the server is not there: the client sees an end.
      }
    }
  }

  private static void pass(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[8192];
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        out.write(bytes, 0, n);
        out.flush();
      }
    } catch (IOException e) {
      // A refused handshake, or an end: both sides are closed.
    }
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "tls-front");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    socket.close();
    for (Socket each : open) {
      each.close();
    }
  }
}
