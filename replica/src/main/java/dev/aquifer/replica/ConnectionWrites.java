package dev.aquifer.replica;

import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.sql.SqlStatement;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one connection writes, from its statements to those who listen for commits. Confined to the
 * connection's thread.
 *
 * <p>Once the application took the driver's own connection, anything may be written past the
 * router. Then every commit is one of unknown tables. Outside a transaction such a write is
 * announced from the moment on that it may happen, and told with the next call: what is told too
 * often costs a load, what is not told is served stale.
 */
final class ConnectionWrites {
  private final ReplicaSet set;
  private final TransactionWrites writes = new TransactionWrites();

  /** The open transaction, or the statement itself, changes what the server's catalogue tells. */
  private boolean schema;

  private boolean unwrapped;

  /** Announced, as it may be written at any moment on the driver's own connection. */
  private @Nullable WriteSet unseen;

  ConnectionWrites(ReplicaSet set) {
    this.set = set;
  }

  /** Statements that are about to run, and what they are about to commit; null for nothing. */
  @Nullable WriteSet before(SqlStatement parsed, List<SqlStatement> more, boolean inTransaction) {
    add(parsed);
    more.forEach(this::add);
    boolean commits =
        parsed.endsTransaction()
            && !parsed.verb().equals("ROLLBACK")
            && !parsed.verb().equals("ABORT");
    if (inTransaction) {
      return commits ? commit() : null;
    }
    return writes.isEmpty() ? null : take();
  }

  private void add(SqlStatement parsed) {
    writes.add(parsed);
    schema |= parsed.changesSchema();
  }

  /** A row of this query's result is written; null when a transaction commits it. */
  @Nullable WriteSet beforeRow(@Nullable SqlStatement query, boolean inTransaction) {
    if (query == null || query.tablesRead().size() != 1 || query.readsUnknownTables()) {
      writes.addUnknown();
    } else {
      writes.add(query.tablesRead());
    }
    return inTransaction ? null : take();
  }

  /** The open transaction writes what no statement tells. */
  void addUnknown() {
    writes.addUnknown();
  }

  /** The open transaction is about to be committed; null when it wrote nothing. */
  @Nullable WriteSet commit() {
    if (unwrapped) {
      writes.addUnknown();
    }
    return take();
  }

  private @Nullable WriteSet take() {
    WriteSet taken = writes.take(set.commits.nextId());
    if (taken != null) {
      announce(taken);
    }
    return taken;
  }

  private void announce(WriteSet announced) {
    if (schema) {
      // From before it can be seen: what is known by then is not what a reader meets.
      set.schemaChanged();
    }
    set.commits.committing(announced);
  }

  void committed(WriteSet announced) {
    changedSchema(announced);
    set.commits.committed(announced);
  }

  void rolledBack(WriteSet announced) {
    set.commits.rolledBack(announced);
  }

  /** It may stand, now or later. */
  void uncertain(@Nullable WriteSet announced) {
    if (announced != null) {
      changedSchema(announced);
      set.commits.outcomeUnknown(announced);
    }
  }

  private void changedSchema(WriteSet announced) {
    if (schema) {
      schema = false;
      set.schemaChanged();
    } else if (announced.unknownTables()) {
      set.schemaMayHaveChanged();
    }
  }

  /** The text left a transaction open, which commits, or ended one and began another. */
  void restore(WriteSet announced) {
    writes.restore(announced);
  }

  /** What the transaction wrote is undone. */
  void clear() {
    writes.clear();
  }

  boolean isUnwrapped() {
    return unwrapped;
  }

  /** From now on anything may be written, past what statements tell. */
  void unwrapped(boolean inTransaction) {
    unwrapped = true;
    called(inTransaction);
  }

  /** Tells what may have been written past the router by now, and announces what still may. */
  void called(boolean inTransaction) {
    if (unwrapped) {
      told(false);
      if (!inTransaction) {
        WriteSet next = anything(TenantContext.currentOrNull());
        set.commits.committing(next);
        unseen = next;
      }
    }
  }

  /** The driver's own connection ended the transaction: maybe by a commit. */
  void endedUnseen() {
    WriteSet anything = anything(TenantContext.currentOrNull());
    set.commits.committing(anything);
    committed(anything);
  }

  /** Nothing is written any more. */
  void closed(boolean lost) {
    writes.clear();
    told(lost);
  }

  private void told(boolean lost) {
    WriteSet announced = unseen;
    unseen = null;
    if (announced == null) {
      return;
    }
    if (lost) {
      uncertain(announced);
    } else {
      committed(announced);
    }
    Tenant tenant = TenantContext.currentOrNull();
    if (announced.tenant() != null && !Objects.equals(announced.tenant(), tenant)) {
      // It may have been written for either of them.
      WriteSet everybody = anything(null);
      set.commits.committing(everybody);
      committed(everybody);
    }
  }

  private WriteSet anything(@Nullable Tenant tenant) {
    return new WriteSet(set.commits.nextId(), tenant, Set.of(), true);
  }
}
