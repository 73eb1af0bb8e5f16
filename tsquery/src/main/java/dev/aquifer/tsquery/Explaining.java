package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Says what a query would do now. Sends nothing, claims nothing. Used by one thread. */
final class Explaining {
  private final WindowCache cache;
  private final Ledger ledger;
  private final Backend backend;
  private final List<StatementText> statements = new ArrayList<>();
  private final Set<String> remarks = new LinkedHashSet<>();

  private Explaining(WindowCache cache, Ledger ledger, Backend backend) {
    this.cache = cache;
    this.ledger = ledger;
    this.backend = backend;
  }

  static Explanation explain(QueryRun run, WindowCache cache, Backend backend) {
    Ledger ledger = cache.pin(run.tenant(), run.query().measurement());
    try {
      return new Explaining(cache, ledger, backend).explain(run);
    } finally {
      cache.unpin(ledger);
    }
  }

  private Explanation explain(QueryRun run) {
    WindowGrid grid = run.grid();
    int cached = cached(run);
    QueryRun parts = run.parts();
    if (parts != null) {
      int known = cached(parts);
      remarks.add(
          "The open window is put together of %d parts of %s, of which %d are cached."
              .formatted(
                  parts.grid().count(parts.grid().first(), parts.grid().end()),
                  parts.query().window().every(),
                  known));
    }
    int windows = grid.count(grid.first(), grid.end());
    int clipped = grid.clipped();
    return new Explanation(
        backend.name(),
        run.query().fingerprint(),
        windows,
        cached,
        windows - cached - clipped,
        clipped,
        statements,
        List.copyOf(remarks));
  }

  /** How many windows are cached; the others would be asked for. */
  private int cached(QueryRun run) {
    WindowPlanner.Plan plan = run.plan(cache, ledger);
    for (FetchRequest request : run.requests(plan)) {
      statements.addAll(backend.render(request));
      remarks.addAll(backend.remarks(request));
    }
    return run.fetching().count(plan.cached().stream().map(WindowPlanner.Cached::run).toList());
  }
}
