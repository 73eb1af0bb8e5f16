package dev.aquifer.repository;

import dev.aquifer.AquiferException;
import dev.aquifer.Tag;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * Which tables' writes can change what a statement reads. More than the tables that it names: the
 * tables under a view, the other parts of a partitioned or inherited table, the tables whose
 * foreign keys cascade into it, and every table with triggers or rules of its own, since these may
 * write anything. Asked of the server's catalogue once a statement, when its repository is made.
 */
final class ReadDependencies {
  /**
   * Names without schema: a table of that name in any schema counts, which voids too much rather
   * than too little.
   */
  private static final String CLOSURE =
      """
      with recursive edge(reader, source) as (
          select w.ev_class, d.refobjid
            from pg_catalog.pg_rewrite w
            join pg_catalog.pg_class v on v.oid = w.ev_class and v.relkind = 'v'
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
             and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> w.ev_class
        union
          select inhparent, inhrelid from pg_catalog.pg_inherits
        union
          select inhrelid, inhparent from pg_catalog.pg_inherits
        union
          select conrelid, confrelid from pg_catalog.pg_constraint
           where contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))
      ), reached(oid) as (
          select oid from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'f') and relname = any (?)
        union
          select tgrelid from pg_catalog.pg_trigger where not tgisinternal
        union
          select ev_class from pg_catalog.pg_rewrite where rulename <> '_RETURN'
           and ev_class >= 16384
        union
          select e.source from reached r join edge e on e.reader = r.oid
      )
      select c.relname,
             exists (select 1 from pg_catalog.pg_rewrite w
                       join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
                        and d.refclassid = 'pg_catalog.pg_proc'::regclass and d.refobjid >= 16384
                      where w.ev_class = c.oid and c.relkind = 'v') as calls
        from reached join pg_catalog.pg_class c using (oid)
       where c.relkind in ('r', 'p', 'v', 'm', 'f')
      """;

  private ReadDependencies() {}

  /**
   * What was found.
   *
   * @param tables names without schema
   * @param callingView a view that calls a function of the application's, so that what it reads
   *     cannot be known; empty if there is none
   */
  record Found(Set<String> tables, String callingView) {
    /** Whose voids make void what was read. */
    Set<Tag> tags() {
      return Stream.concat(tables.stream().map(Tag::table), Stream.of(Tag.ANY_TABLE))
          .collect(Collectors.toUnmodifiableSet());
    }
  }

  static Found of(DataSource database, Set<String> named) {
    Set<String> tables = new TreeSet<>(named);
    String calling = "";
    try (Connection connection = database.getConnection();
        PreparedStatement closure = connection.prepareStatement(CLOSURE)) {
      closure.setArray(1, connection.createArrayOf("name", named.toArray()));
      try (ResultSet rows = closure.executeQuery()) {
        while (rows.next()) {
          tables.add(rows.getString(1));
          if (rows.getBoolean(2)) {
            calling = rows.getString(1);
          }
        }
      }
    } catch (SQLException e) {
      throw new AquiferException(
          "The catalogue did not say what tables %s depend on: %s. The role needs to read pg_catalog."
              .formatted(named, e.getMessage()),
          e);
    }
    return new Found(Set.copyOf(tables), calling);
  }
}
