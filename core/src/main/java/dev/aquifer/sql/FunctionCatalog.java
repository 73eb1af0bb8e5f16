package dev.aquifer.sql;

import org.jspecify.annotations.Nullable;

/**
 * What the analyser has to know of functions, relations, operators and types. {@link #builtIn()}
 * knows what PostgreSQL itself ships; an implementation that has read a server's own catalogue can
 * release more statements to standbys, and hold back those that a view, an operator or a cast makes
 * volatile in disguise.
 *
 * <p>Names arrive as PostgreSQL resolves them: folded, unquoted, cut to 63 bytes. The schema is
 * null when the statement names none; the answer must then hold for the worst function of that name
 * in any schema. Implementations are thread-safe, answer from memory, and do not throw; one that
 * throws is taken to have answered with the worst.
 */
public interface FunctionCatalog {

  /** What a call may do, from harmless to anything. */
  enum Effect {
    /** Changes nothing and answers alike on a standby. */
    HARMLESS,
    /** A standby cannot run it, or would answer something else; no user table is written. */
    PRIMARY,
    /** As {@link #PRIMARY}, and it changes or tells the state of the session. */
    SESSION,
    /** Not known, or known to be volatile: may write any table. */
    UNKNOWN
  }

  /**
   * The worst that a function of that name may do, over all its overloads, aggregates and window
   * functions included.
   */
  Effect function(@Nullable String schema, String name);

  /**
   * What reading that relation may do: {@link Effect#HARMLESS} when it does no more than read;
   * {@link Effect#PRIMARY} when a standby refuses it or would answer something else, as it does for
   * temporary and unlogged tables, sequences and system views that tell of one server; {@link
   * Effect#UNKNOWN} when anything may happen, as with a view or policy that calls something
   * volatile. The built-in catalogue holds every relation harmless except system views and the
   * schema of temporary tables.
   */
  default Effect relation(TableName relation) {
    return BuiltInCatalog.INSTANCE.relation(relation);
  }

  /**
   * Whether every operator of that symbol is harmless. The built-in catalogue knows PostgreSQL's
   * own alone.
   */
  default boolean isPlainOperator(String symbol) {
    return BuiltInCatalog.INSTANCE.isPlainOperator(symbol);
  }

  /**
   * Whether casting to that type is harmless: its input function, its casts and, for a domain, its
   * checks. The built-in catalogue holds every type plain: one that writes takes a superuser or a
   * very odd domain to make.
   */
  default boolean isPlainType(@Nullable String schema, String name) {
    return true;
  }

  /**
   * The worst that {@code x.name} may do: PostgreSQL takes it for the call {@code name(x)} where no
   * column has that name and a function takes the one value. The built-in catalogue looks for
   * functions of PostgreSQL's own.
   */
  default Effect attribute(String name) {
    return BuiltInCatalog.INSTANCE.attribute(name);
  }

  /** What PostgreSQL 18 ships; every other function and operator is unknown. */
  static FunctionCatalog builtIn() {
    return BuiltInCatalog.INSTANCE;
  }
}
