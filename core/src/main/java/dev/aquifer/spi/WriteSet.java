package dev.aquifer.spi;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one transaction writes.
 *
 * @param id tells transactions of this process apart
 * @param tenant whose rows, or null when the work had no tenant: then rows of every tenant may be
 *     touched
 * @param tables the tables written, without schema, names as PostgreSQL folds them
 * @param unknownTables whether other tables may be written too: a function was called, or the
 *     statement was not understood
 */
public record WriteSet(
    long id, @Nullable Tenant tenant, Set<String> tables, boolean unknownTables) {
  /** Copies the set of tables. */
  public WriteSet {
    tables = Set.copyOf(tables);
  }

  /**
   * The tags of all that depends on what is written. Whatever read any table also carries {@link
   * Tag#ANY_TABLE}.
   */
  public Set<Tag> tags() {
    Stream<Tag> known = tables.stream().map(Tag::table);
    return (unknownTables ? Stream.concat(known, Stream.of(Tag.ANY_TABLE)) : known)
        .collect(Collectors.toUnmodifiableSet());
  }
}
