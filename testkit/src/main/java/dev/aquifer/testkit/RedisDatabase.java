package dev.aquifer.testkit;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * One of the numbered databases of a {@link RedisServer}. Keys of others are not seen in it;
 * channels are the whole server's.
 *
 * @param server the server that holds it
 * @param index its number, as {@code SELECT} takes it
 */
public record RedisDatabase(RedisServer server, int index) {
  /** The address, with the database's number. */
  public URI uri() {
    return server.uri(index);
  }

  /** Sends one command to it; see {@link RedisServer#command}. */
  public @Nullable Object command(String... command) {
    return server.commandIn(index, command);
  }

  /** Deletes all its keys. */
  public void flush() {
    command("FLUSHDB");
  }
}
