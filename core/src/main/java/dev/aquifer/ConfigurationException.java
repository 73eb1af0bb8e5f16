package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * Settings or annotations contradict each other, or something needed is missing. Raised while
 * things are built, before the first call; the message names the setting, or the class and method.
 */
public class ConfigurationException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public ConfigurationException(String message) {
    super(message);
  }

  /** An error with the failure that led to it. */
  public ConfigurationException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
