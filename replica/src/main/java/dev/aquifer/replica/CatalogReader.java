package dev.aquifer.replica;

import dev.aquifer.replica.CatalogGraph.Sort;
import dev.aquifer.sql.CuratedFunctions;
import dev.aquifer.sql.FunctionCatalog;
import dev.aquifer.sql.FunctionCatalog.Effect;
import dev.aquifer.sql.TableName;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the catalogue of one database within one snapshot of it. Views, policies and checks are
 * followed by the object ids in their stored trees, which hold implicit casts and built-in
 * functions too; {@code pg_depend} records no use of what PostgreSQL itself ships.
 */
final class CatalogReader {
  /** More rows of one sort are not read: the built-in catalogue answers instead. */
  static final int MAX_ROWS = 200_000;

  /** The first object id that is not PostgreSQL's own. */
  private static final long FIRST_NORMAL = 16_384;

  private static final FunctionCatalog BUILT_IN = FunctionCatalog.builtIn();

  /** A change to anything that is read changes some row's writer. */
  private static final String STAMP =
      """
      SELECT string_agg(s.rows, ' ') FROM (
        SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) AS rows FROM pg_proc
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_class
          WHERE relkind NOT IN ('i', 'I', 't') AND relpersistence <> 't'
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_rewrite
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_type
          WHERE typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_operator
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_cast
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_policy
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_namespace
          WHERE nspname !~ '^pg_(toast_)?temp_'
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', oid), 0))) FROM pg_constraint
          WHERE contypid <> 0
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', aggfnoid), 0))) FROM pg_aggregate
        UNION ALL SELECT concat(count(*), '.', sum(hashtextextended(concat(xmin, ' ', inhrelid), 0))) FROM pg_inherits
      ) s
      """;

  private static final String FUNCTIONS =
      """
      SELECT p.oid, n.nspname, p.proname, p.provolatile, p.prokind, l.lanname, e.extname,
             p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1,
             CASE WHEN p.oid >= 16384 THEN
               ARRAY(SELECT DISTINCT t
                       FROM unnest(p.proargtypes::oid[] || p.proallargtypes || p.prorettype) t
                      WHERE t >= 16384) END,
             CASE WHEN p.oid >= 16384 AND p.prokind = 'a' THEN
               ARRAY(SELECT f::oid
                       FROM pg_aggregate a,
                            unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
                                         a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn,
                                         a.aggmfinalfn]) f
                      WHERE a.aggfnoid = p.oid AND f::oid <> 0) END,
             CASE WHEN p.oid >= 16384 AND p.prokind <> 'a' THEN
               concat_ws(' ',
                 CASE WHEN p.provolatile <> 'v' AND l.lanname IN ('sql', 'plpgsql')
                      THEN coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) END,
                 pg_get_expr(p.proargdefaults, 0)) END
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        LEFT JOIN pg_depend d
               ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        LEFT JOIN pg_extension e ON e.oid = d.refobjid
       WHERE n.nspname !~ '^pg_(toast_)?temp_'
      """;

  private static final String RELATIONS =
      """
      SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
      """;

  private static final String TYPES =
      """
      SELECT t.oid, n.nspname, t.typname
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
       WHERE n.nspname !~ '^pg_(toast_)?temp_'
      """;

  private static final String OPERATORS =
      """
      SELECT o.oid, n.nspname, o.oprname
        FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
       WHERE o.oid >= 16384 OR o.oprcode::oid >= 16384
      """;

  /** What runs what: the sort and id of the user, then of the used. */
  private static final String USES =
      """
      WITH tree AS (
        SELECT 'r' AS sort, ev_class AS id, ev_action::text AS tree
          FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
         WHERE ev_type = '1' AND ev_class >= 16384 AND c.relkind = 'v'
        UNION ALL
        SELECT 'r', polrelid, polqual::text FROM pg_policy WHERE polqual IS NOT NULL
        UNION ALL
        SELECT 't', contypid, conbin::text
          FROM pg_constraint WHERE contypid >= 16384 AND conbin IS NOT NULL)
      SELECT DISTINCT sort, id::oid, CASE m[1] WHEN 'opno' THEN 'o' WHEN 'eqop' THEN 'o' WHEN 'sortop' THEN 'o'
                              WHEN 'relid' THEN 'r' WHEN 'resulttype' THEN 't' ELSE 'f' END, m[2]::oid
        FROM tree,
             regexp_matches(tree, ':(funcid|opfuncid|aggfnoid|winfnoid|tsmhandler|opno|eqop|sortop|relid|resulttype) ([1-9][0-9]*)', 'g') m
       WHERE m[2]::bigint >= 16384 OR m[1] NOT IN ('opno', 'eqop', 'sortop', 'resulttype', 'tsmhandler')
      UNION ALL SELECT sort, id::oid, 'l', 0 FROM tree WHERE tree LIKE '%:hasForUpdate true%'
      UNION ALL SELECT 'r', inhparent, 'r', inhrelid FROM pg_inherits i
                  JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
      UNION ALL SELECT DISTINCT 'r', a.attrelid, 't', a.atttypid
                  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 WHERE a.atttypid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
                   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      UNION ALL SELECT DISTINCT 't', c.reltype, 't', a.atttypid
                  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 WHERE a.atttypid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND c.reltype <> 0
      UNION ALL SELECT 't', oid, 'f', typinput FROM pg_type WHERE typinput::oid >= 16384
      UNION ALL SELECT 't', oid, 't', typelem FROM pg_type WHERE typelem >= 16384
      UNION ALL SELECT 't', oid, 't', typbasetype FROM pg_type WHERE typbasetype >= 16384
      UNION ALL SELECT 't', rngtypid, 't', rngsubtype FROM pg_range WHERE rngsubtype >= 16384
      UNION ALL SELECT 't', rngtypid, 'f', rngcanonical FROM pg_range WHERE rngcanonical::oid >= 16384
      UNION ALL SELECT 't', rngmultitypid, 't', rngtypid FROM pg_range WHERE rngtypid >= 16384
      UNION ALL SELECT 'o', oid, 'f', oprcode FROM pg_operator WHERE oid >= 16384 AND oprcode <> 0
      UNION ALL SELECT 'o', oid, 'o', x FROM pg_operator, unnest(ARRAY[oprcom, oprnegate]) x WHERE oid >= 16384 AND x >= 16384
      UNION ALL SELECT 'o', oid, 't', x FROM pg_operator, unnest(ARRAY[oprleft, oprright, oprresult]) x
                 WHERE oid >= 16384 AND x >= 16384
      """;

  private static final String CASTS =
      "SELECT castsource, casttarget, castfunc FROM pg_cast WHERE castfunc <> 0 AND castfunc >= 16384";

  /** A function's own use of another object. */
  private record Use(long function, Sort sort, long used) {}

  private final Connection connection;
  private final CatalogGraph graph = new CatalogGraph();

  /** Kept until all that may be used are known. */
  private final List<Use> uses = new ArrayList<>();

  private CatalogReader(Connection connection) {
    this.connection = connection;
  }

  /** Something that another value of means that the catalogue must be read again. */
  static String stamp(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(STAMP)) {
      row.next();
      return String.valueOf(row.getString(1));
    }
  }

  /**
   * The catalogue as the connection's transaction sees it; its search path must be {@code
   * pg_catalog}.
   *
   * @throws SQLException also when there is more than {@link #MAX_ROWS} of anything
   */
  static CatalogSnapshot read(Connection connection) throws SQLException {
    CatalogReader reader = new CatalogReader(connection);
    reader.each(FUNCTIONS, reader::function);
    reader.each(RELATIONS, reader::relation);
    reader.each(
        TYPES,
        row ->
            reader.graph.add(
                Sort.TYPE, row.getLong(1), row.getString(2), row.getString(3), Effect.HARMLESS));
    reader.each(
        OPERATORS,
        row ->
            reader.graph.add(
                Sort.OPERATOR,
                row.getLong(1),
                row.getString(2),
                row.getString(3),
                Effect.HARMLESS));
    for (Use use : reader.uses) {
      reader.graph.runs(Sort.FUNCTION, use.function(), use.sort(), use.used());
    }
    reader.each(USES, reader::use);
    reader.each(CASTS, reader::cast);
    return reader.graph.resolve();
  }

  private interface Row {
    void read(ResultSet row) throws SQLException;
  }

  private void each(String query, Row reader) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(1_000);
      try (ResultSet rows = statement.executeQuery(query)) {
        int count = 0;
        while (rows.next()) {
          if (++count > MAX_ROWS) {
            throw new SQLException(
                "The catalogue has more than %,d functions, relations, types or uses of them"
                    .formatted(MAX_ROWS),
                "54000");
          }
          reader.read(rows);
        }
      }
    }
  }

  private void function(ResultSet row) throws SQLException {
    long oid = row.getLong(1);
    String name = row.getString(3);
    boolean isVolatile = row.getString(4).equals("v");
    if (oid < FIRST_NORMAL) {
      // Support functions that no SQL can call are in no list, and harmless unless volatile.
      Effect known = BUILT_IN.attribute(name);
      boolean odd = isVolatile && !CuratedFunctions.builtIn().contains(name);
      Effect effect = known == Effect.HARMLESS && odd ? Effect.UNKNOWN : known;
      graph.add(Sort.FUNCTION, oid, row.getString(2), name, effect);
      return;
    }
    boolean aggregate = row.getString(5).equals("a");
    String language = row.getString(6);
    String extension = row.getString(7);
    Effect curated = CuratedFunctions.effect(extension, name);
    boolean declared = aggregate || (!isVolatile && !row.getString(5).equals("p"));
    boolean legible =
        switch (language) {
          case "c", "sql", "plpgsql" -> true;
          case "internal" -> aggregate || extension != null;
          default -> false;
        };
    Effect effect =
        curated != null ? curated : declared && legible ? Effect.HARMLESS : Effect.UNKNOWN;
    graph.add(Sort.FUNCTION, oid, row.getString(2), name, effect);
    if (row.getBoolean(8)) {
      graph.takesOne(oid);
    }
    for (long type : oids(row.getArray(9))) {
      uses.add(new Use(oid, Sort.TYPE, type));
    }
    for (long part : oids(row.getArray(10))) {
      uses.add(new Use(oid, Sort.FUNCTION, part));
    }
    String body = row.getString(11);
    if (body != null && !body.isBlank()) {
      Set<String> words = FunctionBody.words(body);
      graph.mentions(oid, words);
      if (!FunctionBody.isReadable(words, body)) {
        graph.worsen(Sort.FUNCTION, oid, Effect.UNKNOWN);
      }
    }
  }

  private void relation(ResultSet row) throws SQLException {
    String schema = row.getString(2);
    String name = row.getString(3);
    char kind = row.getString(4).charAt(0);
    Effect effect = BUILT_IN.relation(new TableName(schema, name));
    // A sequence runs ahead of what is replayed; a foreign table is another server's.
    if (kind == 'S' || kind == 'f' || row.getString(5).equals("u")) {
      effect = CatalogSnapshot.worse(effect, Effect.PRIMARY);
    }
    graph.add(Sort.RELATION, row.getLong(1), schema, name, effect);
  }

  private void use(ResultSet row) throws SQLException {
    Sort user = sort(row.getString(1));
    String used = row.getString(3);
    if (used.equals("l")) {
      graph.worsen(user, row.getLong(2), Effect.PRIMARY);
    } else {
      graph.runs(user, row.getLong(2), sort(used), row.getLong(4));
    }
  }

  private static Sort sort(String letter) {
    return switch (letter) {
      case "f" -> Sort.FUNCTION;
      case "r" -> Sort.RELATION;
      case "t" -> Sort.TYPE;
      default -> Sort.OPERATOR;
    };
  }

  /** A cast may be applied unseen, so that whatever has either type may run its function. */
  private void cast(ResultSet row) throws SQLException {
    long source = row.getLong(1);
    long target = row.getLong(2);
    long function = row.getLong(3);
    if (source < FIRST_NORMAL && target < FIRST_NORMAL) {
      graph.anythingRuns(function);
      return;
    }
    for (long type : new long[] {source, target}) {
      if (type >= FIRST_NORMAL) {
        graph.runs(Sort.TYPE, type, Sort.FUNCTION, function);
      }
    }
  }

  private static long[] oids(@Nullable Array array) throws SQLException {
    if (array == null) {
      return new long[0];
    }
    Long[] values = (Long[]) array.getArray();
    long[] oids = new long[values.length];
    for (int i = 0; i < oids.length; i++) {
      oids[i] = values[i];
    }
    return oids;
  }
}
