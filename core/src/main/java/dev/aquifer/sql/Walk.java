package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import dev.aquifer.sql.Frame.Opener;

/** Where a walk over one statement stands; shared by the parts that read its clauses. */
final class Walk {
  final Tokens tokens;
  final Findings found;
  final FrameStack stack = new FrameStack();
  Frame frame = stack.push(Opener.STATEMENT, Clause.START, 0);

  /** Index of the token to be read next. */
  int at;

  boolean failed;

  Walk(Tokens tokens, Findings found) {
    this.tokens = tokens;
    this.found = found;
  }

  /** Stops the walk: the statement is not understood. */
  void fail() {
    if (!failed) {
      failed = true;
      found.notUnderstood(tokens.isName(at) ? tokens.text(at) : null);
    }
  }

  /**
   * Opens a parenthesis or bracket whose first token stands at that index. Names and types alone
   * nest in their like.
   */
  void push(Opener opener, Clause clause, int first) {
    if (stack.depth() > FrameStack.MAX_DEPTH) {
      fail();
      return;
    }
    boolean definitions = frame.clause == Clause.DEFINITIONS;
    frame = stack.push(opener, definitions ? Clause.DEFINITIONS : clause, first);
    at = first;
  }

  void pop() {
    frame = stack.pop();
  }
}
