package dev.aquifer.sql;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Analyses texts and remembers the results by text, within bounds. Thread-safe; a known text costs
 * one look-up in a map, takes no lock and allocates nothing.
 *
 * <p>The memory is two maps. New results go into the young one; one found in the old one is moved
 * over. When the young one holds half the bound, it becomes the old one and the old one is dropped
 * with all that was not asked for in the meantime. So a text in use stays, and no order has to be
 * kept up on a hit.
 */
public final class SqlAnalyzer {

  private static final class Generations {
    final ConcurrentHashMap<String, SqlStatement> young = new ConcurrentHashMap<>();
    final ConcurrentHashMap<String, SqlStatement> old;

    Generations(ConcurrentHashMap<String, SqlStatement> old) {
      this.old = old;
    }
  }

  private final FunctionCatalog catalog;
  private final int maxEntries;
  private final int maxCachedLength;
  private final int maxLength;
  private final AtomicReference<Generations> generations =
      new AtomicReference<>(new Generations(new ConcurrentHashMap<>()));

  private SqlAnalyzer(Builder builder) {
    this.catalog = builder.catalog;
    this.maxEntries = builder.maxEntries;
    this.maxCachedLength = builder.maxCachedLength;
    this.maxLength = builder.maxLength;
  }

  /** An analyser with the built-in catalogue and the default bounds. */
  public static SqlAnalyzer create() {
    return builder().build();
  }

  public static Builder builder() {
    return new Builder();
  }

  /** What that text does; never throws, whatever the text. See {@link SqlStatement}. */
  public SqlStatement analyze(String sql) {
    Generations now = generations.get();
    SqlStatement known = now.young.get(sql);
    return known != null ? known : analyze(sql, now);
  }

  private SqlStatement analyze(String sql, Generations now) {
    SqlStatement statement = now.old.get(sql);
    if (statement == null) {
      statement = SqlStatement.analyze(sql, catalog, maxLength);
    }
    return remember(now, sql, statement, false);
  }

  /**
   * Remembers that a standby has refused that text, so that it goes to the primary from now on, for
   * as long as the text is remembered. For the router, after SQLSTATE 25006 or its like. Answers
   * what the text is taken for then: something that may write any table.
   */
  public SqlStatement refusedByStandby(String sql) {
    Generations now = generations.get();
    SqlStatement known = now.young.get(sql);
    SqlStatement statement = known != null ? known : SqlStatement.analyze(sql, catalog, maxLength);
    return remember(now, sql, statement.refusedByStandby(), true);
  }

  /**
   * Into the generation that was current before the analysis began: what {@link #clear()} dropped
   * stays dropped.
   */
  private SqlStatement remember(
      Generations now, String sql, SqlStatement statement, boolean replace) {
    if (sql.length() > maxCachedLength) {
      return statement;
    }
    SqlStatement result = statement;
    if (replace) {
      now.young.put(sql, statement);
    } else {
      @Nullable SqlStatement earlier = now.young.putIfAbsent(sql, statement);
      result = earlier == null ? statement : earlier;
    }
    if (now.young.size() >= maxEntries / 2) {
      generations.compareAndSet(now, new Generations(now.young));
    }
    return result;
  }

  /**
   * Forgets everything, also what standbys refused. To be called when the catalogue's answers have
   * changed.
   */
  public void clear() {
    generations.set(new Generations(new ConcurrentHashMap<>()));
  }

  /**
   * Number of texts remembered; those of both generations may count twice. For metrics and tests.
   */
  public int size() {
    Generations now = generations.get();
    return now.young.size() + now.old.size();
  }

  /** Bounds and catalogue of a {@link SqlAnalyzer}. Not thread-safe. */
  public static final class Builder {
    private FunctionCatalog catalog = FunctionCatalog.builtIn();
    private int maxEntries = 4_096;
    private int maxCachedLength = 32_768;
    private int maxLength = SqlStatement.DEFAULT_MAX_LENGTH;

    private Builder() {}

    /** What to ask about functions and the like; by default {@link FunctionCatalog#builtIn()}. */
    public Builder catalog(FunctionCatalog catalog) {
      this.catalog = catalog;
      return this;
    }

    /** At most so many texts are remembered; 2 or more, 4,096 by default. */
    public Builder maxEntries(int maxEntries) {
      this.maxEntries = atLeast(2, maxEntries, "maxEntries");
      return this;
    }

    /** Longer texts are analysed each time; in characters, 0 or more, 32,768 by default. */
    public Builder maxCachedLength(int maxCachedLength) {
      this.maxCachedLength = atLeast(0, maxCachedLength, "maxCachedLength");
      return this;
    }

    /**
     * Longer texts are not looked at and go to the primary; in characters, 1 or more, 1,048,576 by
     * default.
     */
    public Builder maxLength(int maxLength) {
      this.maxLength = atLeast(1, maxLength, "maxLength");
      return this;
    }

    private static int atLeast(int least, int value, String setting) {
      if (value < least) {
        throw new IllegalArgumentException(
            setting + " is " + value + ": give " + least + " or more");
      }
      return value;
    }

    /** The analyser. */
    public SqlAnalyzer build() {
      return new SqlAnalyzer(this);
    }
  }
}
