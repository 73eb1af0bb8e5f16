package dev.aquifer.metrics;

import dev.aquifer.AquiferException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The page: one document with its style and script inside, and a policy that names both by their
 * digest, so that a browser runs nothing else and asks nobody else.
 *
 * @param policy value of the header {@code Content-Security-Policy}
 */
record PageDocument(String html, String policy) {
  static PageDocument load() {
    String style = resource("page.css");
    String script = resource("page.js");
    String html = resource("page.html").replace("/*style*/", style).replace("/*script*/", script);
    String policy =
        "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; connect-src 'self';"
            + " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    return new PageDocument(html, policy.formatted(digest(style), digest(script)));
  }

  private static String resource(String name) {
    try (InputStream in = PageDocument.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new AquiferException(
            "The resource %s is not beside %s. Keep resources when repackaging aquifer-metrics."
                .formatted(name, PageDocument.class.getName()));
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AquiferException("The resource %s cannot be read.".formatted(name), e);
    }
  }

  private static String digest(String text) {
    try {
      return Base64.getEncoder()
          .encodeToString(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AquiferException("This JVM has no SHA-256, which every JVM must have.", e);
    }
  }
}
