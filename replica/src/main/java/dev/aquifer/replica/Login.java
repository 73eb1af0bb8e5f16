package dev.aquifer.replica;

import dev.aquifer.pool.PoolSettings;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * As whom connections of one set are opened, those beside the pools included: what the pools were
 * built with, until it is changed while they run. Thread-safe.
 */
final class Login {
  private record Credentials(String user, @Nullable String password) {}

  private volatile @Nullable Credentials changed;

  void change(String user, @Nullable String password) {
    changed = new Credentials(user, password);
  }

  /** For the pool of a node that comes later. */
  void apply(PoolSettings.Builder settings) {
    Credentials now = changed;
    if (now != null) {
      settings.credentials(now.user(), now.password());
    }
  }

  /** The driver's properties for a connection to the node of that pool, and beside it. */
  Properties properties(PoolSettings pool, String sessionName) {
    Credentials now = changed;
    String user = now == null ? pool.user() : now.user();
    String password = now == null ? pool.password() : now.password();
    Properties properties = new Properties();
    properties.putAll(pool.driverProperties());
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("ApplicationName", sessionName);
    return properties;
  }
}
