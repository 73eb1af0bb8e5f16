package dev.aquifer.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A test of many random tries: a model check, a chaos run, a schedule search. It has a short form
 * for every build and a long one, says with which seed it can be repeated, and leaves a record of
 * what it did.
 *
 * <pre>{@code
 * Proof.of("window-schedules")
 *     .tries(500, 200_000)
 *     .each(random -> assertThat(cached(random)).isEqualTo(uncached(random)));
 * }</pre>
 *
 * <p>System properties: {@code proof.long} ({@code true} runs the long form), {@code proof.seed} (a
 * whole number; random otherwise), {@code proof.scale} (multiplies the tries, 1 by default), {@code
 * proof.directory} ({@code target/proof} by default). The record is {@code <directory>/<name>.json}
 * with {@code name}, {@code seed}, {@code tried}, {@code failed}, {@code seconds} and {@code
 * details}; it is written when the proof fails, too.
 *
 * <p>Immutable; each call of {@link #each} or {@link #run} is a proof of its own.
 */
public final class Proof {
  private static final Logger LOG = LoggerFactory.getLogger(Proof.class);
  private static final int FAILURES_KEPT = 10;

  private final String name;
  private final long shortTries;
  private final long longTries;

  private Proof(String name, long shortTries, long longTries) {
    this.name = name;
    this.shortTries = shortTries;
    this.longTries = longTries;
  }

  /**
   * A proof of 100 tries in its short form and 10,000 in its long one.
   *
   * @param name of {@code [a-z0-9-]}; the record's file is named after it
   */
  public static Proof of(String name) {
    if (!name.matches("[a-z0-9-]+")) {
      throw new IllegalArgumentException("proof name '" + name + "' is not of [a-z0-9-]");
    }
    return new Proof(name, 100, 10_000);
  }

  /** The same with other numbers of tries, each 1 or more. */
  public Proof tries(long shortForm, long longForm) {
    if (shortForm < 1 || longForm < shortForm) {
      throw new IllegalArgumentException(
          "tries " + shortForm + " (short) and " + longForm + " (long) are not 1 or more, rising");
    }
    return new Proof(name, shortForm, longForm);
  }

  /**
   * Runs {@code trial} once a try, with a source of randomness that depends on the try's seed
   * alone. What it throws makes the try a failed one. The first try uses the proof's seed itself,
   * so that {@code -Dproof.seed} with the seed of a failed try begins with that one. Ends after ten
   * failed tries.
   *
   * @throws AssertionError a try failed; the message has its seed, the cause is what it threw
   */
  public void each(Trial trial) {
    run(
        run -> {
          for (long i = 0; i < run.tries() && run.failures() < FAILURES_KEPT; i++) {
            long seed = i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
            run.tried(1);
            try {
              trial.run(new SplittableRandom(seed));
            } catch (InterruptedException e) {
              throw e;
            } catch (Exception | AssertionError e) {
              run.failed("seed " + seed + ": " + e, e);
            }
          }
        });
  }

  /**
   * Runs a proof that counts its tries and failures itself.
   *
   * @throws AssertionError a failure was counted, or nothing was tried
   */
  public void run(Body body) {
    Run run = new Run(seed(), tries());
    LOG.info("proof {}: {} tries, seed {}", name, run.tries, run.seed);
    long start = System.nanoTime();
    Throwable ending = null;
    try {
      body.run(run);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      ending = e;
    } catch (Exception | AssertionError e) {
      ending = e;
    }
    if (ending != null) {
      run.failed("ended by " + ending, ending);
    } else if (run.tried.sum() == 0) {
      run.failed("nothing was tried", null);
    }
    write(run, Duration.ofNanos(System.nanoTime() - start));
    if (run.failures() > 0) {
      throw new AssertionError(
          "proof "
              + name
              + ": "
              + run.failures()
              + " of "
              + run.tried.sum()
              + " failed. Repeat with -Dproof.seed="
              + run.seed
              + (isLong() ? " -Dproof.long=true" : "")
              + "\n"
              + String.join("\n", run.messages()),
          run.firstCause());
    }
  }

  private static boolean isLong() {
    return Boolean.getBoolean("proof.long");
  }

  private long tries() {
    String scale = System.getProperty("proof.scale", "").strip();
    try {
      double factor = scale.isEmpty() ? 1 : Double.parseDouble(scale);
      if (factor > 0 && factor < Double.POSITIVE_INFINITY) {
        return Math.max(1, Math.round((isLong() ? longTries : shortTries) * factor));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("proof.scale '" + scale + "' is not a number", e);
    }
    throw new IllegalArgumentException("proof.scale '" + scale + "' is not positive");
  }

  private static long seed() {
    String seed = System.getProperty("proof.seed", "").strip();
    try {
      return seed.isEmpty() ? new SecureRandom().nextLong() : Long.parseLong(seed);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("proof.seed '" + seed + "' is not a whole number", e);
    }
  }

  private void write(Run run, Duration took) {
    Map<String, Object> details = run.details();
    if (run.failures() > 0) {
      details.put("failures", run.messages());
    }
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("name", name);
    record.put("seed", run.seed);
    record.put("tried", run.tried.sum());
    record.put("failed", run.failures());
    record.put("seconds", took.toMillis() / 1000.0);
    record.put("details", details);
    String directory = System.getProperty("proof.directory", "").strip();
    Path folder = Path.of(directory.isEmpty() ? "target/proof" : directory);
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve(name + ".json"), Json.write(record) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the record of proof " + name, e);
    }
  }

  /** One try. */
  @FunctionalInterface
  public interface Trial {
    /** Returns when what is claimed held, else throws. */
    void run(RandomGenerator random) throws Exception;
  }

  /** A whole proof. */
  @FunctionalInterface
  public interface Body {
    /** Tries {@link Run#tries} times and counts on {@code run}. */
    void run(Run run) throws Exception;
  }

  /** What a running proof is given, and where it counts. Thread-safe. */
  public static final class Run {
    private final long seed;
    private final long tries;
    private final LongAdder tried = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final List<String> messages = new ArrayList<>();
    private final Map<String, Object> details = new LinkedHashMap<>();
    private @Nullable Throwable firstCause;

    private Run(long seed, long tries) {
      this.seed = seed;
      this.tries = tries;
    }

    /** Everything random in the proof derives from it. */
    public long seed() {
      return seed;
    }

    /** How many tries the form that runs has. */
    public long tries() {
      return tries;
    }

    /** Counts tries. */
    public void tried(long count) {
      tried.add(count);
    }

    /** How many failures were counted so far. */
    public long failures() {
      return failed.sum();
    }

    /** Counts a failure; the first ten messages are kept. */
    public void failed(String message) {
      failed(message, null);
    }

    /** The same, with what was thrown. */
    public synchronized void failed(String message, @Nullable Throwable cause) {
      failed.increment();
      if (messages.size() < FAILURES_KEPT) {
        messages.add(message);
      }
      if (firstCause == null) {
        firstCause = cause;
      }
    }

    /** Records a figure: a number, a truth value or a text. */
    public synchronized void detail(String name, Object value) {
      details.put(name, value);
    }

    private synchronized List<String> messages() {
      return List.copyOf(messages);
    }

    private synchronized Map<String, Object> details() {
      return new LinkedHashMap<>(details);
    }

    private synchronized @Nullable Throwable firstCause() {
      return firstCause;
    }
  }
}
