package dev.aquifer.replica;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A name server that answers every question with the same SRV records (RFC 1035, RFC 2782). */
final class DnsResponder implements AutoCloseable {
  private final DatagramSocket socket;
  private final List<String> records;
  private final Thread thread;

  private DnsResponder(DatagramSocket socket, List<String> records) {
    this.socket = socket;
    this.records = records;
    this.thread = new Thread(this::serve, "dns");
  }

  /** Records as "priority weight port target". */
  static DnsResponder start(String... records) throws IOException {
    DnsResponder made =
        new DnsResponder(new DatagramSocket(0, InetAddress.getLoopbackAddress()), List.of(records));
    made.thread.start();
    return made;
  }

  String url() {
    return "dns://127.0.0.1:" + socket.getLocalPort();
  }

  private void serve() {
    try {
      while (true) {
        DatagramPacket question = new DatagramPacket(new byte[512], 512);
        socket.receive(question);
        byte[] answer = answer(question.getData(), question.getLength());
        socket.send(new DatagramPacket(answer, answer.length, question.getSocketAddress()));
      }
    } catch (IOException e) {
      if (!socket.isClosed()) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private byte[] answer(byte[] question, int length) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    int asked = 12;
    while (question[asked] != 0) {
      asked += question[asked] + 1;
    }
    asked += 5;
    out.write(question, 0, 2);
    out.writeShort(0x8580); // an answer, with authority, of one who was asked to recurse
    out.writeShort(1);
    out.writeShort(records.size());
    out.writeShort(0);
    out.writeShort(0);
    out.write(question, 12, Math.min(asked, length) - 12);
    for (String record : records) {
      String[] parts = record.split(" ", -1);
      byte[] target = name(parts[3]);
      out.writeShort(0xC00C); // the name that was asked for
      out.writeShort(33); // SRV
      out.writeShort(1);
      out.writeInt(60);
      out.writeShort(6 + target.length);
      for (int i = 0; i < 3; i++) {
        out.writeShort(Integer.parseInt(parts[i]));
      }
      out.write(target);
    }
    return bytes.toByteArray();
  }

  private static byte[] name(String text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String label : text.split("\\.", -1)) {
      byte[] bytes = label.getBytes(StandardCharsets.US_ASCII);
      out.write(bytes.length);
      out.write(bytes);
    }
    out.write(0);
    return out.toByteArray();
  }

  @Override
  public void close() {
    socket.close();
    try {
      thread.join(5000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
