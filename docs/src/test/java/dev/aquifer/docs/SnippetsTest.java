package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every Java block of the README and the manual is, to the letter, a part of a test that passes. A
 * block names its part in a comment before it, {@code <!-- snippet: name -->}; the test marks it
 * with {@code // snippet: name} and {@code // end}.
 */
class SnippetsTest {
  private static final Path ROOT = Path.of("..");

  /** Its module's own test holds its blocks to the code, so that the test kit needs no manual. */
  private static final Path CHECKED_ELSEWHERE = Path.of("testkit", "README.md");

  private static final Pattern BLOCK =
      Pattern.compile(
          "(?:<!-- snippet: (?<name>[\\w-]+) -->\\s*\\n)?```java\\n(?<code>.*?)```",
          Pattern.DOTALL);

  @TestFactory
  Stream<DynamicTest> blocks_arePartsOfTests() throws IOException {
    Map<String, String> parts = parts();
    List<DynamicTest> tests = new ArrayList<>();
    for (Path page : pages()) {
      if (ROOT.relativize(page).equals(CHECKED_ELSEWHERE)) {
        continue;
      }
      Matcher block = BLOCK.matcher(Files.readString(page));
      int number = 0;
      while (block.find()) {
        String name = block.group("name");
        String code = block.group("code");
        tests.add(
            DynamicTest.dynamicTest(
                ROOT.relativize(page) + " block " + ++number,
                () -> {
                  assertThat(name).as("the block names its snippet").isNotNull();
                  assertThat(parts).containsKey(name);
                  assertThat(code.strip()).isEqualTo(parts.get(name));
                }));
      }
    }
    return tests.stream();
  }

  @Test
  void links_leadSomewhere() throws IOException {
    Pattern link = Pattern.compile("\\]\\((?!https?:|#)([^)#\\s]+)");
    for (Path page : pages()) {
      Matcher found = link.matcher(Files.readString(page));
      while (found.find()) {
        assertThat(page.resolveSibling(found.group(1))).as("link in %s", page).exists();
      }
    }
  }

  private static List<Path> pages() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT, 2)) {
      return files
          .filter(file -> file.toString().endsWith(".md") && !file.toString().contains("target"))
          .sorted()
          .toList();
    }
  }

  private static Map<String, String> parts() throws IOException {
    Map<String, String> parts = new HashMap<>();
    try (Stream<Path> files = Files.walk(ROOT)) {
      for (Path test :
          files
              .filter(
                  f -> f.toString().contains("/src/test/java/") && f.toString().endsWith(".java"))
              .toList()) {
        collect(Files.readAllLines(test), parts);
      }
    }
    return parts;
  }

  private static void collect(List<String> lines, Map<String, String> parts) {
    String name = null;
    StringBuilder part = new StringBuilder();
    for (String line : lines) {
      if (line.strip().startsWith("// snippet: ")) {
        name = line.strip().substring("// snippet: ".length());
        part.setLength(0);
      } else if (line.strip().equals("// end") && name != null) {
        String previous = parts.put(name, part.toString().stripTrailing().stripIndent().strip());
        assertThat(previous).as("a second snippet with the name %s", name).isNull();
        name = null;
      } else if (name != null) {
        part.append(line).append('\n');
      }
    }
  }
}
