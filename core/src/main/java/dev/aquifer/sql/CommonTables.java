package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import org.jspecify.annotations.Nullable;

/** Reads WITH: its names, when each becomes visible, and what may stand between body and query. */
final class CommonTables {
  private final Walk walk;
  private final Tokens tokens;

  CommonTables(Walk walk) {
    this.walk = walk;
    this.tokens = walk.tokens;
  }

  void commonTable(@Nullable Keyword keyword) {
    String name = tokens.name(walk.at);
    if (name == null || (keyword != null && keyword.isReserved())) {
      walk.fail();
      return;
    }
    walk.frame.commonTable = name;
    walk.frame.bodyFollows = false;
    if (walk.frame.recursive) {
      walk.stack.define(name);
    }
    walk.frame.clause = Clause.WITH_BODY;
    walk.at++;
  }

  void commonTableBody(@Nullable Keyword keyword) {
    boolean follows =
        keyword == Keyword.AS
            || (walk.frame.bodyFollows
                && (keyword == Keyword.NOT || keyword == Keyword.MATERIALIZED));
    if (follows) {
      walk.frame.bodyFollows = true;
      walk.at++;
    } else {
      walk.fail();
    }
  }

  void endOfBody() {
    String name = walk.frame.commonTable;
    if (!walk.frame.recursive && name != null) {
      walk.stack.define(name);
    }
    walk.frame.clause = Clause.AFTER_WITH;
    walk.frame.bodyFollows = false;
  }

  void afterWith(@Nullable Keyword keyword) {
    if (keyword == Keyword.SEARCH) {
      walk.frame.clause = Clause.WITH_SEARCH;
    } else if (keyword == Keyword.CYCLE) {
      walk.frame.clause = Clause.WITH_CYCLE;
    } else {
      walk.fail();
      return;
    }
    walk.at++;
  }

  void endOfSearch(@Nullable Keyword keyword, Keyword last) {
    if (keyword == last && tokens.isName(walk.at + 1)) {
      walk.frame.clause = Clause.AFTER_WITH;
      walk.at += 2;
    } else {
      walk.at++;
    }
  }
}
