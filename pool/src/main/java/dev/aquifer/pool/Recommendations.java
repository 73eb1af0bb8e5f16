package dev.aquifer.pool;

import dev.aquifer.spi.Observer.PoolReason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a pool's decisions say about its settings, for people. */
final class Recommendations {
  private Recommendations() {}

  static List<String> of(
      PoolSettings settings,
      PoolDecision last,
      Map<PoolReason, Long> decisions,
      List<LeakReport> leaks) {
    List<String> all = new ArrayList<>();
    switch (last.reason()) {
      case LIMIT ->
          all.add(
              "Callers wait, and maximumSize %d is reached: %d connections would be used. Raise maximumSize if the server bears it"
                  .formatted(settings.maximumSize(), last.wanted()));
      case BUDGET ->
          all.add(
              "Callers wait, and the budget leaves %d connections: %d would be used. Raise the budget, or lower what other pools want"
                  .formatted(last.maximum(), last.wanted()));
      case NO_GAIN ->
          all.add(
              "Callers wait, yet more than %d connections do not answer more: the server is the limit. Make statements cheaper, or add a replica"
                  .formatted(last.maximum()));
      case SLOWER ->
          all.add(
              "Statements take longer than before (%s): look at the server, at locks and plans, before the pool"
                  .formatted(last.explanation()));
      case SERVER_FULL ->
          all.add(
              "The server has no more connections (53300): lower budgets or maximumSize of all who use it to fit max_connections");
      default -> {
        // Nothing to be said.
      }
    }
    long full = decisions.getOrDefault(PoolReason.SERVER_FULL, 0L);
    if (full > 0 && last.reason() != PoolReason.SERVER_FULL) {
      all.add(
          "The server was full (53300) in %d intervals: give the pools a budget below max_connections"
              .formatted(full));
    }
    if (!leaks.isEmpty()) {
      all.add(
          "%d connections are out for more than leakThreshold %s; the first was taken by thread %s. Close connections in try-with-resources"
              .formatted(leaks.size(), settings.leakThreshold(), leaks.get(0).thread()));
    }
    return List.copyOf(all);
  }
}
