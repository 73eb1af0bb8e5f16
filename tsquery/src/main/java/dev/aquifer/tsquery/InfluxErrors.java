package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import dev.aquifer.UnavailableException;
import java.io.InputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * What went wrong with an InfluxDB, in words that name it and what to do.
 *
 * @param name what the backend is called
 * @param credentials what to check when they are refused
 * @param address what to check when the request is
 */
record InfluxErrors(String name, String credentials, String address) {
  private static final JsonFactory JSON = new JsonFactory();
  private static final int SHOWN = 200;

  IllegalStateException closed() {
    return new IllegalStateException("The backend " + name + " is closed");
  }

  UnavailableException brokenOff(String measurement, Duration limit, Exception cause) {
    return new UnavailableException(
        "%s did not answer a query of %s within %s, or broke off"
            .formatted(name, measurement, limit),
        cause);
  }

  AquiferException failed(String measurement, String reason, Exception cause) {
    return new AquiferException(
        "%s could not answer a query of %s: %s"
            .formatted(name, measurement, Names.printable(reason, SHOWN)),
        cause);
  }

  AquiferException refused(int status, @Nullable String error) {
    String reason = error == null ? "" : ": " + error;
    if (status == 401 || status == 403) {
      return new UnavailableException(
          "%s refused the credentials (HTTP %d)%s; check %s"
              .formatted(name, status, reason, credentials));
    }
    if (status == 429) {
      return new UnavailableException(
          "%s has too much to do (HTTP %d)%s; ask less often".formatted(name, status, reason));
    }
    return status >= 500
        ? new UnavailableException("%s failed (HTTP %d)%s".formatted(name, status, reason))
        : new AquiferException(
            "%s refused the request (HTTP %d)%s; check %s"
                .formatted(name, status, reason, address));
  }

  /** The error in the body of a refused request; null when there is none to be read. */
  static @Nullable String message(InputStream body) {
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), body)) {
      if (json.nextToken() == JsonToken.START_OBJECT) {
        for (String name = json.nextName(); name != null; name = json.nextName()) {
          JsonToken token = json.nextToken();
          if (token == JsonToken.VALUE_STRING && (name.equals("error") || name.equals("message"))) {
            return Names.printable(json.getString(), SHOWN);
          }
          json.skipChildren();
        }
      }
    } catch (JacksonException e) {
      return null;
    }
    return null;
  }
}
