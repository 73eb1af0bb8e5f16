package dev.aquifer.tsquery;

import java.time.Duration;
import java.util.function.LongConsumer;

/** How Flux reaches a server and its answer comes back. Thread-safe. */
interface FluxTransport extends AutoCloseable {
  /**
   * Sends a request to {@code /api/v2/query}, and hands the answer to the reader.
   *
   * @param json the request's body
   * @param measurement what is asked of, for messages
   * @param received is told of the answer's bytes as they come
   * @throws dev.aquifer.AquiferException the server refused, failed, broke off, or took longer than
   *     the limit
   */
  void ask(
      String json,
      Duration limit,
      String measurement,
      LongConsumer received,
      InfluxHttp.Reader reader);

  /** Lets go of what it made itself. */
  @Override
  void close();
}
