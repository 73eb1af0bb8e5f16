package dev.aquifer.replica;

import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.sql.SqlStatement;
import dev.aquifer.sql.TableName;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tables that the statements of one transaction write. What a savepoint's rollback undoes stays
 * in: to void too much is slow, to void too little is wrong. Statements under different tenants, or
 * any under none, make it everybody's. Confined to the connection's thread.
 */
final class TransactionWrites {
  private final Set<String> tables = new HashSet<>();
  private boolean unknown;
  private boolean any;
  private boolean shared;
  private @Nullable Tenant tenant;

  void add(SqlStatement statement) {
    if (!statement.writes()) {
      return;
    }
    unknown |= statement.writesUnknownTables();
    add(statement.tablesWritten());
  }

  void add(Set<TableName> written) {
    for (TableName table : written) {
      tables.add(table.name());
    }
    tenant();
  }

  /** Anything may have been written, past what statements tell. */
  void addUnknown() {
    unknown = true;
    tenant();
  }

  /** What was written so far, and begins anew; null when nothing was. */
  @Nullable WriteSet take(long id) {
    if (!any) {
      return null;
    }
    WriteSet taken = new WriteSet(id, shared ? null : tenant, tables, unknown);
    clear();
    return taken;
  }

  /** It was taken, and its transaction goes on, or the next one began with the same text. */
  void restore(WriteSet taken) {
    tables.addAll(taken.tables());
    unknown |= taken.unknownTables();
    Tenant whose = taken.tenant();
    shared |= whose == null || (any && !java.util.Objects.equals(whose, tenant));
    tenant = whose;
    any = true;
  }

  boolean isEmpty() {
    return !any;
  }

  void clear() {
    tables.clear();
    unknown = false;
    any = false;
    shared = false;
    tenant = null;
  }

  private void tenant() {
    Tenant current = TenantContext.currentOrNull();
    if (!any) {
      tenant = current;
      shared = current == null;
    } else if (!shared && !java.util.Objects.equals(tenant, current)) {
      shared = true;
    }
    any = true;
  }
}
