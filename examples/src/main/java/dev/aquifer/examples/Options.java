package dev.aquifer.examples;

import dev.aquifer.ConfigurationException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What the main job is told on its command line.
 *
 * @param load how long the users work, 3 to 40 s
 * @param users how many, 1 to 1,000
 * @param gate whether replicas must have replayed what a reader must see; off shows what that is
 *     worth
 * @param serve whether to stay up, with the metrics page, until the job is ended
 * @param result the file for the summary
 */
record Options(Duration load, int users, boolean gate, boolean serve, Path result) {
  static final String USAGE =
      """
      Options:
        --serve          stay up with the metrics page until Ctrl-C
        --gate=off       let replicas answer however far behind they are: stale reads are then found, and the job fails
        --seconds=N      how long the users work (3 to 40, default 16)
        --users=N        how many they are (1 to 1000, default 200)
        --result=FILE    where the summary is written as JSON (default target/main-job.json)
      """;

  static Options parse(String... arguments) {
    Options options =
        new Options(Duration.ofSeconds(16), 200, true, false, Path.of("target", "main-job.json"));
    for (String argument : arguments) {
      options = options.with(argument);
    }
    return options;
  }

  private Options with(String argument) {
    int equals = argument.indexOf('=');
    String name = equals < 0 ? argument : argument.substring(0, equals);
    String value = equals < 0 ? "" : argument.substring(equals + 1);
    return switch (name) {
      case "" -> this;
      case "--serve" -> new Options(load, users, gate, true, result);
      case "--gate" -> new Options(load, users, on(name, value), serve, result);
      case "--seconds" ->
          new Options(Duration.ofSeconds(number(name, value, 3, 40)), users, gate, serve, result);
      case "--users" -> new Options(load, number(name, value, 1, 1_000), gate, serve, result);
      case "--result" -> new Options(load, users, gate, serve, Path.of(value));
      default ->
          throw new ConfigurationException("Not an option: '%s'.%n%s".formatted(argument, USAGE));
    };
  }

  private static boolean on(String name, String value) {
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default ->
          throw new ConfigurationException("%s is on or off, not '%s'".formatted(name, value));
    };
  }

  private static int number(String name, String value, int least, int most) {
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new ConfigurationException("%s needs a number, not '%s'".formatted(name, value), e);
    }
    throw new ConfigurationException("%s is %d to %d, not %s".formatted(name, least, most, value));
  }
}
