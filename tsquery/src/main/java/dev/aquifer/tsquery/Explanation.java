package dev.aquifer.tsquery;

import java.util.List;

/**
 * What a query would do now. Nothing was sent.
 *
 * @param backend who would be asked
 * @param fingerprint of the query
 * @param windows in the range
 * @param cached windows that the cache would answer
 * @param missing whole windows that would be fetched and kept
 * @param clipped windows at the edges that would be fetched and not kept
 * @param statements what would be sent
 * @param remarks what stands against the server's doing more of it by itself
 */
public record Explanation(
    String backend,
    String fingerprint,
    long windows,
    long cached,
    long missing,
    int clipped,
    List<StatementText> statements,
    List<String> remarks) {
  /** Copies the lists. */
  public Explanation {
    statements = List.copyOf(statements);
    remarks = List.copyOf(remarks);
  }

  /** The same in words, a line each. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append("backend     ").append(backend).append('\n');
    text.append("fingerprint ").append(fingerprint).append('\n');
    text.append(
        "windows     %d = %d cached + %d to fetch + %d clipped%n"
            .formatted(windows, cached, missing, clipped));
    for (StatementText statement : statements) {
      text.append(statement).append('\n');
    }
    for (String remark : remarks) {
      text.append(remark).append('\n');
    }
    return text.toString();
  }
}
