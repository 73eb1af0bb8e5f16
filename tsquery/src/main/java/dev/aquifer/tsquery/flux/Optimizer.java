package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Rewrites a script so that storage does more of it, where the answer stays the same. The rules
 * propose; then the reads of the script before and after are compared, and a read is left as it was
 * where storage would now do something whose answer may differ from the query engine's.
 */
final class Optimizer {
  private static final int ATTEMPTS = 4;
  private static final int PASSES = 4;

  /** The most steps that are compared; a function's read is compared with that of each call. */
  private static final int MAX_COMPARED = 1_000_000;

  private final Map<String, Expression> bound;
  private final FloatSums sums;

  /** A script and how it came to be. */
  record Result(List<Statement> script, List<FluxPlan.Rewrite> rewrites) {}

  Optimizer(Map<String, Expression> bound, FloatSums sums) {
    this.bound = bound;
    this.sums = sums;
  }

  Result optimize(List<Statement> script) {
    Set<String> defined = Names.defined(script);
    boolean renamed =
        defined.contains("from") || defined.contains("range") || defined.contains("filter");
    // Who lets a script die wants it to fail for the rows that it fails for.
    if (renamed || Names.mentions(script, "die")) {
      return new Result(script, List.of());
    }
    Result result = new Result(script, List.of());
    for (int pass = 0; pass < PASSES; pass++) {
      Result next = pass(result.script(), defined);
      if (next.rewrites().isEmpty()) {
        break;
      }
      List<FluxPlan.Rewrite> rewrites = new ArrayList<>(result.rewrites());
      rewrites.addAll(next.rewrites());
      result = new Result(next.script(), rewrites);
    }
    return readable(result.script()) ? result : new Result(script, List.of());
  }

  /** What was written reads back as it was meant. */
  private static boolean readable(List<Statement> script) {
    try {
      Tree.requireHeight(script);
      FluxScript written = new FluxScript(script);
      return FluxScript.parse(written.text()).equals(written);
    } catch (RefusedScriptException e) {
      return false;
    }
  }

  private Result pass(List<Statement> script, Set<String> defined) {
    Tracer.Trace trace = Tracer.trace(script, bound);
    if (!trace.complete()) {
      return new Result(script, List.of());
    }
    IdentityHashMap<Expression.Call, List<Reading>> before = reads(trace);
    Set<Expression.Call> frozen = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<String> kept = new HashSet<>();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      SharedReads shared = new SharedReads(kept);
      List<Statement> split = shared.of(script);
      PipeRewrite pipes = new PipeRewrite(trace.names(), defined, utc(trace, defined));
      List<Statement> written = new ArrayList<>();
      for (Statement statement : split) {
        written.add(Rebuild.statement(statement, value -> rewritten(value, pipes, shared, frozen)));
      }
      List<FluxPlan.Rewrite> rewrites = new ArrayList<>(shared.rewrites());
      rewrites.addAll(pipes.rewrites());
      // A read written out where it is used is worth it only for what follows from that.
      if (rewrites.stream().allMatch(rewrite -> rewrite.rule().equals(Rules.READ_INLINED))) {
        return new Result(script, List.of());
      }
      Tracer.Trace after = Tracer.trace(written, bound);
      if (check(after, before, new Attempt(shared, pipes, defined), frozen, kept)) {
        return new Result(written, rewrites);
      }
    }
    return new Result(script, List.of());
  }

  private static boolean utc(Tracer.Trace trace, Set<String> defined) {
    return trace.location() == null && !defined.contains("location");
  }

  private record Attempt(SharedReads shared, PipeRewrite pipes, Set<String> defined) {}

  /** Whether each read is as it was or better; if not, says which must stay. */
  private boolean check(
      Tracer.Trace after,
      IdentityHashMap<Expression.Call, List<Reading>> before,
      Attempt attempt,
      Set<Expression.Call> frozen,
      Set<String> kept) {
    SharedReads shared = attempt.shared;
    boolean good = after.complete();
    long compared = 0;
    for (Reading read : Planner.reads(after)) {
      Expression.Call from = read.from().call();
      Expression.Call origin = shared.origin(from);
      List<Reading> olds = before.getOrDefault(origin, List.of());
      Set<Expression.Call> approved = attempt.pipes.approved(from);
      compared += (long) olds.size() * read.pushed().size();
      boolean same =
          compared <= MAX_COMPARED
              && !olds.isEmpty()
              && olds.stream()
                  .allMatch(old -> Answers.same(old, read, approved, attempt.defined, sums));
      if (!shared.through(from).isEmpty() && !(same && Answers.aggregated(read))) {
        kept.addAll(shared.through(from));
        good = false;
      } else if (!same) {
        frozen.add(origin);
        good = false;
      }
    }
    return good;
  }

  private static IdentityHashMap<Expression.Call, List<Reading>> reads(Tracer.Trace trace) {
    IdentityHashMap<Expression.Call, List<Reading>> reads = new IdentityHashMap<>();
    for (Reading read : Planner.reads(trace)) {
      reads.computeIfAbsent(read.from().call(), none -> new ArrayList<>()).add(read);
    }
    return reads;
  }

  /** Outside of functions, whose names may mean something else at each call. */
  private static Expression rewritten(
      Expression expression, PipeRewrite rewrite, SharedReads shared, Set<Expression.Call> frozen) {
    if (expression instanceof Expression.Function) {
      return expression;
    }
    Expression inner =
        Rebuild.children(expression, child -> rewritten(child, rewrite, shared, frozen));
    if (inner instanceof Expression.Pipe pipe
        && read(pipe)
        && pipe.source() instanceof Expression.Call from
        && !frozen.contains(shared.origin(from))) {
      List<Expression.Call> stages = rewrite.of(from, pipe.stages(), shared.reach(from));
      return stages.equals(pipe.stages())
          ? pipe
          : new Expression.Pipe(pipe.source(), stages, pipe.place());
    }
    return inner;
  }

  /** Whether a pipe begins with {@code from(…) |> range(…)}. */
  static boolean read(Expression.Pipe pipe) {
    return SharedReads.from(pipe) != null
        && pipe.stages().get(0).callee() instanceof Expression.Name name
        && name.name().equals("range");
  }
}
