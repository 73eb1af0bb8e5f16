package dev.aquifer.cache;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslVerifyMode;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** A connection of its own to one server, for a few questions. Every wait has a limit. */
final class RedisQuestions implements AutoCloseable {
  private static final int LONGEST_LINE = 4096;

  private final RedisURI uri;
  private final Socket socket;
  private final InputStream in;

  RedisQuestions(RedisURI uri, NodeSettings settings) throws IOException {
    this.uri = uri;
    int millis = (int) Math.min(Integer.MAX_VALUE, settings.connectTimeout().toMillis());
    Socket plain = new Socket();
    try {
      InetSocketAddress address = new InetSocketAddress(uri.getHost(), uri.getPort());
      if (address.isUnresolved()) {
        throw new UnknownHostException(uri.getHost());
      }
      plain.connect(address, millis);
      plain.setSoTimeout(millis);
      this.socket = uri.isSsl() ? encrypted(plain, settings.redisTrust()) : plain;
      this.in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      plain.close();
      throw e;
    }
  }

  /** Names user and password, if the address has them, and asks for a sign of life. */
  void login() throws IOException {
    RedisCredentials credentials = uri.getCredentialsProvider().resolveCredentials().block();
    if (credentials != null && credentials.hasPassword()) {
      String password = new String(credentials.getPassword());
      if (credentials.hasUsername()) {
        ask("AUTH", credentials.getUsername(), password);
      } else {
        ask("AUTH", password);
      }
    }
    ask("PING");
  }

  /** The first line of the answer, the rest of which is skipped where it is one text. */
  String ask(String... command) throws IOException {
    StringBuilder text = new StringBuilder("*" + command.length + "\r\n");
    for (String part : command) {
      int length = part.getBytes(StandardCharsets.UTF_8).length;
      text.append('$').append(length).append("\r\n").append(part).append("\r\n");
    }
    socket.getOutputStream().write(text.toString().getBytes(StandardCharsets.UTF_8));
    String line = line();
    if (line.startsWith("-")) {
      throw new RefusedException(line.substring(1));
    }
    if (line.isEmpty() || "+*$:".indexOf(line.charAt(0)) < 0) {
      throw new StrangeException();
    }
    if (line.startsWith("$") && !line.equals("$-1")) {
      in.skipNBytes(length(line) + 2);
    }
    return line;
  }

  private static long length(String line) throws StrangeException {
    try {
      return Integer.parseUnsignedInt(line, 1, line.length(), 10);
    } catch (NumberFormatException e) {
      throw new StrangeException();
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw line.isEmpty() ? new EOFException() : new StrangeException();
      }
      if (line.length() == LONGEST_LINE) {
        throw new StrangeException();
      }
      if (b != '\r') {
        line.append((char) b);
      }
    }
    return line.toString();
  }

  private Socket encrypted(Socket plain, @Nullable Path trust) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust == null ? null : trusted(trust).getTrustManagers(), null);
      SSLSocket made =
          (SSLSocket)
              context.getSocketFactory().createSocket(plain, uri.getHost(), uri.getPort(), true);
      if (uri.getVerifyMode() == SslVerifyMode.FULL) {
        SSLParameters parameters = made.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        made.setSSLParameters(parameters);
      }
      made.startHandshake();
      return made;
    } catch (GeneralSecurityException e) {
      throw new SSLException(e);
    }
  }

  private static TrustManagerFactory trusted(Path file)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(file)) {
      int i = 0;
      for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        store.setCertificateEntry(Integer.toString(i++), each);
      }
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** Redis answered with an error. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  /** What came is no answer of Redis. */
  static final class StrangeException extends IOException {
    private static final long serialVersionUID = 1L;
  }
}
