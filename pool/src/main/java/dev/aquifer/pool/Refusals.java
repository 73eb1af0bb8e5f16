package dev.aquifer.pool;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Why a connection could not be opened, and what to do about it. */
final class Refusals {
  private Refusals() {}

  static AquiferException explain(
      SQLException error, String target, @Nullable String user, Duration limit) {
    String state = error.getSQLState() == null ? "" : error.getSQLState();
    String where = "%s as user '%s'".formatted(target, user);
    if (state.startsWith("28")) {
      return new ConfigurationException(
          "PostgreSQL refuses to let us in at %s (SQLSTATE %s): check user, password and pg_hba.conf"
              .formatted(where, state),
          error);
    }
    if (state.equals("3D000")) {
      return new ConfigurationException(
          "There is no such database at %s: create it, or correct the url".formatted(where), error);
    }
    if (state.equals("08001")
        && String.valueOf(error.getMessage()).contains("No suitable driver")) {
      return new ConfigurationException(
          "No JDBC driver takes the url of %s: add it to the class path".formatted(where), error);
    }
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String detail =
        root instanceof UnknownHostException
            ? "the host is unknown; check the url"
            : String.valueOf(root.getMessage());
    return new UnavailableException(
        "Cannot connect to %s within %s: %s".formatted(where, limit, detail), error);
  }
}
