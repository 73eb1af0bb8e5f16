package dev.aquifer.sql;

import dev.aquifer.sql.FunctionCatalog.Effect;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What has been found in a text so far. Grows worse, never better. */
final class Findings {
  private final FunctionCatalog catalog;

  StatementKind kind = StatementKind.EMPTY;
  String verb = "";
  Reason reason = Reason.NONE;
  @Nullable String subject;
  int statements;
  boolean unknownWrites;
  boolean unknownReads;
  boolean begins;
  boolean ends;
  boolean session;
  boolean schema;
  final Set<TableName> reads = new LinkedHashSet<>();
  final Set<TableName> writes = new LinkedHashSet<>();
  final Set<String> functions = new LinkedHashSet<>();
  final Set<String> parameters = new LinkedHashSet<>();

  Findings(FunctionCatalog catalog) {
    this.catalog = catalog;
  }

  void kind(StatementKind found) {
    if (found.compareTo(kind) > 0) {
      kind = found;
    }
  }

  /**
   * The first reason stays: it is the one that a reader of the text meets first. Only not to
   * understand is graver.
   */
  void primary(Reason why, @Nullable String name) {
    if (reason == Reason.NONE) {
      reason = why;
      subject = name;
    }
  }

  void notUnderstood(@Nullable String near) {
    kind(StatementKind.UNKNOWN);
    unknownWrites = true;
    unknownReads = true;
    schema = true;
    reason = Reason.NOT_UNDERSTOOD;
    subject = near;
  }

  void ddl() {
    kind(StatementKind.DDL);
    unknownWrites = true;
    unknownReads = true;
    primary(Reason.DDL, null);
  }

  void reads(TableName table) {
    if (!reads.add(table)) {
      return;
    }
    Effect effect = answer(() -> catalog.relation(table));
    if (effect != Effect.HARMLESS) {
      unknownWrites |= effect == Effect.UNKNOWN;
      session |= effect == Effect.SESSION;
      primary(Reason.RELATION, table.toString());
    }
  }

  void writes(TableName table) {
    writes.add(table);
    kind(StatementKind.WRITE);
    primary(Reason.WRITES, table.toString());
  }

  void call(@Nullable String schema, String name) {
    String full = schema == null ? name : schema + "." + name;
    if (!functions.add(full)) {
      return;
    }
    // Whatever the catalogue says of its harm, a function of the user's may read any table.
    unknownReads |= BuiltInCatalog.INSTANCE.function(schema, name) == Effect.UNKNOWN;
    switch (answer(() -> catalog.function(schema, name))) {
      case HARMLESS -> {}
      case PRIMARY -> primary(Reason.PRIMARY_FUNCTION, full);
      case SESSION -> {
        session = true;
        primary(Reason.SESSION_FUNCTION, full);
      }
      case UNKNOWN -> {
        unknownWrites = true;
        primary(Reason.UNKNOWN_FUNCTION, full);
      }
    }
  }

  void operator(String symbol) {
    if (!holds(() -> catalog.isPlainOperator(symbol))) {
      unknownWrites = true;
      primary(Reason.OPERATOR, symbol);
    }
  }

  void type(@Nullable String schema, String name) {
    if (!holds(() -> catalog.isPlainType(schema, name))) {
      unknownWrites = true;
      primary(Reason.TYPE, name);
    }
  }

  void attribute(String name) {
    Effect effect = answer(() -> catalog.attribute(name));
    if (effect != Effect.HARMLESS) {
      unknownWrites |= effect == Effect.UNKNOWN;
      session |= effect == Effect.SESSION;
      primary(Reason.ATTRIBUTE, name);
    }
  }

  // A catalogue that fails must not fail the application's statement.
  private static Effect answer(Supplier<Effect> question) {
    try {
      return question.get();
    } catch (RuntimeException e) {
      return Effect.UNKNOWN;
    }
  }

  private static boolean holds(BooleanSupplier question) {
    try {
      return question.getAsBoolean();
    } catch (RuntimeException e) {
      return false;
    }
  }
}
