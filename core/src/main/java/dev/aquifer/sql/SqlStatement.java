package dev.aquifer.sql;

import java.util.Collections;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one text of SQL does, as far as it can be told without a server, and safe where it cannot:
 * whatever is not understood goes to the primary and may have written anything. Immutable,
 * thread-safe. Analysis is linear in the text, throws on no input, and costs some microseconds;
 * {@link SqlAnalyzer} remembers its results.
 *
 * <p>The text may hold JDBC's {@code ?} or Jdbi's {@code :name}. What triggers, rules, foreign keys
 * and views add to the tables named is the server's to know and not found here.
 */
public final class SqlStatement {
  /** The longest text looked at unless another limit is given: 1 Mi characters. */
  public static final int DEFAULT_MAX_LENGTH = 1 << 20;

  private final String sql;
  private final StatementKind kind;
  private final String verb;
  private final Reason reason;
  private final @Nullable String subject;
  private final int statements;
  private final boolean unknownWrites;
  private final boolean unknownReads;
  private final boolean begins;
  private final boolean ends;
  private final boolean session;
  private final boolean schema;
  private final Set<TableName> reads;
  private final Set<TableName> writes;
  private final Set<String> functions;
  private final Set<String> parameters;

  // Computed on first use by whoever needs it; a race computes it twice, to equal values.
  private @Nullable Fingerprint fingerprint;

  SqlStatement(String sql, Findings found) {
    this.sql = sql;
    this.kind = found.kind;
    this.verb = found.verb;
    this.reason = found.reason;
    this.subject = found.subject;
    this.statements = found.statements;
    this.unknownWrites = found.unknownWrites;
    this.unknownReads = found.unknownReads;
    this.begins = found.begins;
    this.ends = found.ends;
    this.session = found.session;
    this.schema = found.schema;
    this.reads = frozen(found.reads);
    this.writes = frozen(found.writes);
    this.functions = frozen(found.functions);
    this.parameters = frozen(found.parameters);
  }

  private SqlStatement(SqlStatement other, Reason reason) {
    this.sql = other.sql;
    this.kind = other.kind;
    this.verb = other.verb;
    this.reason = reason;
    this.subject = null;
    this.statements = other.statements;
    // What a standby refuses is most often a function that writes.
    this.unknownWrites = true;
    this.unknownReads = other.unknownReads;
    this.begins = other.begins;
    this.ends = other.ends;
    this.session = other.session;
    this.schema = other.schema;
    this.reads = other.reads;
    this.writes = other.writes;
    this.functions = other.functions;
    this.parameters = other.parameters;
    this.fingerprint = other.fingerprint;
  }

  private static <T> Set<T> frozen(Set<T> found) {
    return found.isEmpty() ? Set.of() : Collections.unmodifiableSet(found);
  }

  /** Analyses with {@link FunctionCatalog#builtIn()} and {@link #DEFAULT_MAX_LENGTH}. */
  public static SqlStatement analyze(String sql) {
    return analyze(sql, FunctionCatalog.builtIn());
  }

  /** Analyses with that catalogue and {@link #DEFAULT_MAX_LENGTH}. */
  public static SqlStatement analyze(String sql, FunctionCatalog catalog) {
    return analyze(sql, catalog, DEFAULT_MAX_LENGTH);
  }

  static SqlStatement analyze(String sql, FunctionCatalog catalog, int maxLength) {
    Findings found = new Findings(catalog);
    if (sql.length() > maxLength) {
      found.kind(StatementKind.UNKNOWN);
      found.unknownWrites = true;
      found.unknownReads = true;
      found.schema = true;
      found.primary(Reason.TOO_LONG, sql.length() + " characters");
    } else {
      new StatementReader(Lexer.scan(sql), found).read();
    }
    return new SqlStatement(sql, found);
  }

  /** The text that was analysed. */
  public String sql() {
    return sql;
  }

  /**
   * Whether a standby may answer: one statement, fully understood, that provably changes nothing,
   * takes no lock, leaves nothing in the session and calls nothing but what the catalogue holds
   * harmless.
   */
  public boolean mayUseReplica() {
    return reason == Reason.NONE;
  }

  /**
   * Why not, the first reason in the order of the text; {@link Reason#NONE} when {@link
   * #mayUseReplica()}.
   */
  public Reason reason() {
    return reason;
  }

  /**
   * The reason as half a sentence with the name in question, for logs and messages. Holds no
   * literal of the text.
   */
  public String explanation() {
    return subject == null ? reason.text() : reason.text() + ": " + subject;
  }

  /** What the verb does; of several statements the gravest. */
  public StatementKind kind() {
    return kind;
  }

  /**
   * The first statement's own verb in upper case, behind any WITH: {@code SELECT}, {@code MERGE};
   * empty if none.
   */
  public String verb() {
    return verb;
  }

  /** Number of statements; 0 when there is none or the text is too long. */
  public int statements() {
    return statements;
  }

  /**
   * Tables and views read, at any depth, in the order met; neither common tables nor functions in
   * FROM. The target of INSERT, UPDATE, DELETE and MERGE is not among them unless it is also read
   * by name. May name one too many in odd texts, never one too few in a text that is understood.
   * Empty for DDL.
   */
  public Set<TableName> tablesRead() {
    return reads;
  }

  /**
   * Whether tables beyond {@link #tablesRead()} may be read: it calls a function that is not
   * PostgreSQL's own, or is not understood. Then the tables named are not all that an answer
   * depends on. Does not tell of views: what those read is theirs, and they count as the tables
   * that they are named as.
   */
  public boolean readsUnknownTables() {
    return unknownReads;
  }

  /** Tables written by name, at any depth. Read it together with {@link #writesUnknownTables()}. */
  public Set<TableName> tablesWritten() {
    return writes;
  }

  /**
   * Whether tables beyond {@link #tablesWritten()} may be written: DDL, CALL, DO, EXECUTE, a
   * function that is not known, COMMIT PREPARED, TRUNCATE … CASCADE, or a text that is not
   * understood. Then everything cached is void.
   */
  public boolean writesUnknownTables() {
    return unknownWrites;
  }

  /** Whether any table may be written. */
  public boolean writes() {
    return unknownWrites || !writes.isEmpty();
  }

  /**
   * Functions called by name, {@code schema.name} or {@code name}; syntax such as COALESCE or
   * EXTRACT is none.
   */
  public Set<String> functions() {
    return functions;
  }

  /** Names of Jdbi's parameters used, without the colon, in the order met. */
  public Set<String> parameters() {
    return parameters;
  }

  /** Whether it begins a transaction: BEGIN, START TRANSACTION, COMMIT AND CHAIN. */
  public boolean beginsTransaction() {
    return begins;
  }

  /** Whether it ends one: COMMIT, END, ROLLBACK, ABORT, PREPARE TRANSACTION; not ROLLBACK TO. */
  public boolean endsTransaction() {
    return ends;
  }

  /**
   * Whether the session is changed or its state told, so that later statements need the same
   * connection: SET, LISTEN, PREPARE, temporary tables, cursors, session-wide advisory locks,
   * {@code set_config} and the like.
   */
  public boolean changesSession() {
    return session;
  }

  /**
   * Whether it may change what a {@link FunctionCatalog} tells of the server: CREATE of what is not
   * temporary, ALTER, DROP, IMPORT, SELECT INTO, DO, or a text that is not understood. What a
   * function or procedure that it calls may change is not counted.
   */
  public boolean changesSchema() {
    return schema;
  }

  /**
   * 64 bits that texts share which differ only in literals, blanks, comments and letter case.
   * Computed once.
   */
  public long fingerprint() {
    return computed().hash();
  }

  /** The text behind the fingerprint: no literal, no comment; cut at 4,096 characters. */
  public String normalized() {
    return computed().text();
  }

  private Fingerprint computed() {
    Fingerprint known = fingerprint;
    if (known == null) {
      known = Fingerprint.of(sql);
      fingerprint = known;
    }
    return known;
  }

  /** The same statement, but for the primary. */
  SqlStatement refusedByStandby() {
    return mayUseReplica() ? new SqlStatement(this, Reason.REFUSED_BY_STANDBY) : this;
  }

  /** Verb, normalized text and reason; no literal. */
  @Override
  public String toString() {
    return "SqlStatement[" + kind + ", " + explanation() + ": " + normalized() + "]";
  }
}
