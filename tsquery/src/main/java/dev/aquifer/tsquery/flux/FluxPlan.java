package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What InfluxDB 2.x would do of a script by its storage itself, read by read, and what {@link
 * FluxScript#optimized} would change. Nothing was sent: it is the server's planner (2.9, Flux
 * 0.200) as it is known, and a later one may do more. {@link #toString} has it in words.
 *
 * @param reads a read for each {@code from} that is run, in the order of the script
 * @param rewrites what {@code optimized} would do, in the order in which it does
 * @param complete false where the script was not followed to its end: it calls itself too often, or
 *     only the server knows what becomes of some tables
 */
public record FluxPlan(List<Read> reads, List<Rewrite> rewrites, boolean complete) {
  /** Copies the lists. */
  public FluxPlan {
    reads = List.copyOf(reads);
    rewrites = List.copyOf(rewrites);
  }

  /** What storage gives to the query engine. */
  public enum Storage {
    /** Nothing that is known here. */
    NOTHING("nothing"),
    /** The rows of the range, as many as the filters let through. */
    ROWS("the rows of the range"),
    /** Those rows, grouped. */
    GROUPS("the rows of the range, grouped"),
    /** One row a group. */
    GROUP_AGGREGATE("one row a group"),
    /** One row a series. */
    SERIES_AGGREGATE("one row a series"),
    /** One row a series and window. */
    WINDOW_AGGREGATE("one row a series and window"),
    /** The names of tags, without reading a point. */
    TAG_KEYS("names of tags"),
    /** The values of a tag, without reading a point. */
    TAG_VALUES("values of a tag");

    private final String words;

    Storage(String words) {
      this.words = words;
    }
  }

  /**
   * One read of a bucket.
   *
   * @param line where {@code from} stands, from 1
   * @param column where {@code from} stands, from 1
   * @param storage what storage gives
   * @param node the name of the plan's node, as InfluxDB's profiler shows it
   * @param pushed the calls that storage takes over, as they are written
   * @param partly whether storage also evaluates parts of the filter that it does not take over
   * @param left the first call that it leaves to the query engine, or null where it takes all
   * @param caution what storage is known to answer wrongly here, or null
   */
  public record Read(
      int line,
      int column,
      Storage storage,
      String node,
      List<String> pushed,
      boolean partly,
      @Nullable Left left,
      @Nullable Caution caution) {
    /** Copies the list. */
    public Read {
      pushed = List.copyOf(pushed);
    }
  }

  /**
   * The first call that the query engine runs on what storage gives; so it does all that follows.
   *
   * @param call its function
   * @param reason why storage does not take it
   * @param line of what stands against it, from 1
   * @param column of what stands against it, from 1
   */
  public record Left(String call, String reason, int line, int column) {}

  /**
   * Part of a filter that storage evaluates, and not as it is meant. {@link FluxScript#optimized}
   * leaves such a read alone.
   *
   * @param reason what goes wrong, and what to write
   * @param line where the part begins, from 1
   * @param column where the part begins, from 1
   */
  public record Caution(String reason, int line, int column) {}

  /**
   * A change that leaves the answer as it is.
   *
   * @param rule its name
   * @param line where it begins, from 1
   * @param column where it begins, from 1
   * @param before what is written
   * @param after what is written instead
   * @param needs whether it is made only where the last digits of float sums may differ
   */
  public record Rewrite(
      String rule, int line, int column, String before, String after, FloatSums needs) {
    Rewrite(String rule, int line, int column, String before, String after) {
      this(rule, line, column, before, after, FloatSums.EXACT);
    }
  }

  static FluxPlan of(List<Statement> script, Map<String, Expression> bound) {
    Tracer.Trace trace = Tracer.trace(script, bound);
    List<Read> reads = new ArrayList<>();
    Planner.reads(trace).forEach(read -> reads.add(read(read)));
    List<Rewrite> exact = new Optimizer(bound, FloatSums.EXACT).optimize(script).rewrites();
    List<Rewrite> all = new ArrayList<>(exact);
    for (Rewrite more :
        new Optimizer(bound, FloatSums.LAST_DIGITS_MAY_DIFFER).optimize(script).rewrites()) {
      if (!exact.contains(more)) {
        all.add(
            new Rewrite(
                more.rule,
                more.line,
                more.column,
                more.before,
                more.after,
                FloatSums.LAST_DIGITS_MAY_DIFFER));
      }
    }
    return new FluxPlan(reads, all, trace.complete());
  }

  private static Read read(Reading read) {
    Set<Expression.Call> calls = Collections.newSetFromMap(new IdentityHashMap<>());
    List<String> pushed = new ArrayList<>();
    for (Step step : read.pushed()) {
      if (calls.add(step.call())) {
        pushed.add(step.written());
      }
    }
    Place place = read.from().place();
    return new Read(
        place.line(),
        place.column(),
        storage(read),
        read.name(),
        pushed,
        read.partial(),
        left(read),
        caution(read));
  }

  private static @Nullable Caution caution(Reading read) {
    Expression part = read.losesPoints();
    return part == null
        ? null
        : new Caution(
            "where alternatives are of tags and of _value, storage may lose points of series whose"
                + " tags are enough; add a condition on _value alone that always holds",
            part.place().line(),
            part.place().column());
  }

  private static @Nullable Left left(Reading read) {
    Step step = read.left();
    Predicates.Obstacle obstacle = read.obstacle();
    return step == null || obstacle == null
        ? null
        : new Left(
            step.written(), obstacle.reason(), obstacle.place().line(), obstacle.place().column());
  }

  private static Storage storage(Reading read) {
    return switch (read.node()) {
      case Reading.RANGE -> Storage.ROWS;
      case Reading.GROUP -> Storage.GROUPS;
      case Reading.GROUP_AGGREGATE -> Storage.GROUP_AGGREGATE;
      case Reading.TAG_KEYS -> Storage.TAG_KEYS;
      case Reading.TAG_VALUES -> Storage.TAG_VALUES;
      case Reading.WINDOW_AGGREGATE, Reading.WINDOW_AGGREGATE_BY_TIME ->
          read.window() == null ? Storage.SERIES_AGGREGATE : Storage.WINDOW_AGGREGATE;
      default -> Storage.NOTHING;
    };
  }

  /** The same in words, some lines a read and a rewrite. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Read read : reads) {
      text.append(
          "read at %d:%d: storage gives %s (%s), taking over %s%n"
              .formatted(
                  read.line,
                  read.column,
                  read.storage.words,
                  read.node,
                  String.join(", ", read.pushed)));
      if (read.partly) {
        text.append("  and evaluates parts of the filter that follows\n");
      }
      Caution caution = read.caution;
      if (caution != null) {
        text.append(
            "  caution: %s (%d:%d)%n".formatted(caution.reason, caution.line, caution.column));
      }
      Left left = read.left;
      if (left != null) {
        text.append(
            "  from '%s' on the query engine works: %s (%d:%d)%n"
                .formatted(left.call, left.reason, left.line, left.column));
      }
    }
    if (!complete) {
      text.append(
          "the script was not followed to its end: it calls itself too often, or only the server"
              + " knows what becomes of some tables\n");
    }
    for (Rewrite rewrite : rewrites) {
      text.append(
          "%s at %d:%d%s%n  before %s%n  after  %s%n"
              .formatted(
                  rewrite.rule,
                  rewrite.line,
                  rewrite.column,
                  rewrite.needs == FloatSums.EXACT
                      ? ""
                      : ", with FloatSums." + rewrite.needs.name().toUpperCase(Locale.ROOT),
                  rewrite.before,
                  rewrite.after));
    }
    return text.toString();
  }
}
