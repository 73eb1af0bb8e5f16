package dev.aquifer.cache;

import dev.aquifer.UnavailableException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Why Redis cannot be used, and what to do. A client that is refused may hear no more than that the
 * connection was closed, so Redis is asked once more, one question after the other. Nothing that is
 * said here names credentials.
 */
final class RedisRefusal {
  private static final Pattern COMMAND = Pattern.compile("'([A-Za-z|]{1,40})' (?:sub)?command");

  private RedisRefusal() {}

  static UnavailableException of(
      RedisAddress address, NodeSettings settings, RuntimeException error) {
    for (Throwable at = error; at != null && at.getCause() != at; at = at.getCause()) {
      if (at instanceof UnavailableException ours) {
        return ours;
      }
    }
    String refused = refusal(error);
    String reason = refused == null ? asked(address, settings, error) : refused;
    return new UnavailableException("%s cannot be used: %s.".formatted(address, reason));
  }

  /** What Redis itself said, if the client has heard it. */
  private static @Nullable String refusal(Throwable error) {
    for (Throwable at = error; at != null && at.getCause() != at; at = at.getCause()) {
      if (at instanceof RedisCommandExecutionException && at.getMessage() != null) {
        return said(at.getMessage());
      }
    }
    return null;
  }

  private static String asked(RedisAddress address, NodeSettings settings, RuntimeException error) {
    List<RedisURI> places =
        address.kind() == CacheHealth.Kind.SENTINEL
            ? address.first().getSentinels()
            : address.uris();
    String reason = "";
    for (RedisURI place : places) {
      try (RedisQuestions questions = new RedisQuestions(place, settings)) {
        questions.login();
        if (address.kind() == CacheHealth.Kind.CLUSTER) {
          // All that finding its nodes takes.
          questions.ask("CLUSTER", "INFO");
          questions.ask("CLUSTER", "NODES");
          questions.ask("INFO", "clients");
        }
        String master = address.first().getSentinelMasterId();
        if (master != null) {
          if (questions.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master).startsWith("*-1")) {
            return "the sentinels know no primary of that name; check the part after #";
          }
          reason =
              "the sentinels answer, the primary that they name does not let this node in; check that it runs and can be reached from here, and user and password";
        } else {
          // It answers now: it was slow, or away for a moment.
          reason =
              "it did not answer within %s (%s); is it overloaded, or just starting?"
                  .formatted(settings.connectTimeout(), root(error).getClass().getSimpleName());
        }
        return reason;
      } catch (RedisQuestions.RefusedException e) {
        return said(String.valueOf(e.getMessage()));
      } catch (IOException e) {
        reason = failed(e, place, settings);
      }
    }
    return reason;
  }

  private static String failed(IOException error, RedisURI place, NodeSettings settings) {
    if (error instanceof UnknownHostException) {
      return "its name cannot be resolved; check the host";
    }
    if (error instanceof ConnectException) {
      return "nothing listens there; check host and port, and that it runs";
    }
    if (error instanceof SocketTimeoutException) {
      return "nothing came back within %s; check that it runs%s, and what is between"
          .formatted(settings.connectTimeout(), place.isSsl() ? " and speaks TLS" : "");
    }
    if (error instanceof SSLException) {
      return "TLS failed (%s); check that it speaks TLS, that redisTrust holds the certificate's issuer, and the host's name in the certificate"
          .formatted(root(error).getMessage());
    }
    if (error instanceof RedisQuestions.StrangeException) {
      return "what answers there is not Redis; check host and port";
    }
    if (error instanceof EOFException || "Connection reset".equals(error.getMessage())) {
      return "it closed the connection without a word; does it take TLS alone (rediss://)?";
    }
    return "the connection failed (%s); check host, port and network"
        .formatted(error.getClass().getSimpleName());
  }

  /** An error of Redis in our words: its own may quote what it was sent. */
  private static String said(String message) {
    String code = message.strip().replaceFirst("[\\s:].*", "").toUpperCase(Locale.ROOT);
    String lower = message.toLowerCase(Locale.ROOT);
    if (code.equals("WRONGPASS") || lower.contains("invalid password")) {
      return "it refused user and password; check both, and that the user is on";
    }
    if (code.equals("NOAUTH") || lower.contains("authentication required")) {
      return "it demands user and password, and the address has none; use redis://user:password@host";
    }
    if (lower.contains("no password is set") || lower.contains("without any password configured")) {
      return "it knows no password, and the address has one; leave it out, or set one there";
    }
    if (code.equals("NOPERM")) {
      Matcher command = COMMAND.matcher(message);
      String what =
          command.find()
              ? "the command " + command.group(1).toUpperCase(Locale.ROOT)
              : lower.contains("channel") ? "the channels aq:*" : "the keys aq:*";
      return "the user may not use %s; add it to the user's rules".formatted(what);
    }
    if (lower.contains("max number of clients")) {
      return "it has no room for more clients; raise maxclients there";
    }
    if (code.equals("DENIED")) {
      return "it is in protected mode and takes only local clients; set a password there";
    }
    if (lower.contains("db index is out of range")) {
      return "it has no database of that number; check the end of the address";
    }
    if (lower.contains("cluster support disabled")) {
      return "it is no cluster; use redis://host:port";
    }
    return "it answered with the error "
        + (code.matches("[A-Z]{2,20}") ? code : "of no kind known");
  }

  private static Throwable root(Throwable error) {
    Throwable root = error;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }
}
