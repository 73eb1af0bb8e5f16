package dev.aquifer.testkit;

import dev.aquifer.AquiferException;
import org.jspecify.annotations.Nullable;

/**
 * A server of the test kit could not be started, reached or ended. The message names the server,
 * what was tried, and what to do; where a server wrote a log, its last lines are in it. Passwords
 * are never part of it.
 */
public class TestkitException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An exception without a cause. */
  public TestkitException(String message) {
    super(message);
  }

  /** An exception with the failure that led to it. */
  public TestkitException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
