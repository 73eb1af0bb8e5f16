package dev.aquifer.replica;

import java.util.List;
import java.util.Random;

/**
 * Makes statements over the tables, views and functions of {@link UnseenSqlTest}, and knows of each
 * by how it was made whether a standby may answer it. They have nothing to do with the analyser's
 * corpus: they are put together from a grammar of their own, in types that fit, so that they run.
 */
final class SqlGenerator {

  /** A statement, and whether anything in it needs the primary. */
  record Generated(String sql, boolean needsPrimary) {}

  private static final List<String> WRITES =
      List.of(
          "INSERT INTO item VALUES (%1$d, 'x', 1)",
          "UPDATE item SET label = 'x' WHERE id = %1$d",
          "DELETE FROM item WHERE id = %1$d",
          "MERGE INTO item i USING (VALUES (%1$d)) s (id) ON i.id = s.id WHEN MATCHED THEN DELETE",
          "TRUNCATE part",
          "SELECT %1$d INTO fresh",
          "CREATE TABLE fresh_%1$d AS SELECT 1",
          "CREATE TEMP TABLE fresh AS SELECT 1",
          "DO $$ BEGIN PERFORM touch(); END $$",
          "CALL act(%1$d)",
          "LOCK TABLE item IN SHARE MODE",
          "SET work_mem = '%1$dMB'",
          "SELECT 1; SELECT %1$d",
          "COPY item TO STDOUT",
          "EXPLAIN ANALYZE DELETE FROM item WHERE id = %1$d",
          "PREPARE p%1$d AS SELECT 1",
          "DECLARE c%1$d CURSOR FOR SELECT 1",
          "NOTIFY c",
          "REFRESH MATERIALIZED VIEW kept");

  private static final List<String> UNSAFE_NUMBERS =
      List.of(
          "nextval('s')::int",
          "\"nextval\"('s')::int",
          "pg_catalog.nextval('s')::int",
          "touch()",
          "public.touch()",
          "sly()",
          "(SELECT touch() FROM part LIMIT 1)",
          "(CASE WHEN pg_try_advisory_lock(1) THEN 1 ELSE 0 END)",
          "(CASE WHEN (7::bigint).pg_try_advisory_lock THEN 1 ELSE 0 END)",
          "length(set_config('app.tenant', 'x', false))",
          "length(pg_export_snapshot())",
          "(4 <-+> 5)",
          "(4 OPERATOR(public.<-+>) 5)",
          "(3::checked + 0)",
          "CAST(3 AS checked)",
          "(SELECT n FROM drawing)::int",
          "(SELECT i.touched FROM item i LIMIT 1)",
          "(SELECT id FROM item ORDER BY id LIMIT 1 FOR UPDATE)",
          "(WITH q AS (SELECT id FROM part FOR SHARE) SELECT count(*) FROM q)::int",
          "sly_total(3)::int",
          "lo_creat(-1)::int",
          "(txid_current() % 7)::int",
          "U&\"next\\0076al\"('s')::int");

  private static final List<String> UNSAFE_TABLES =
      List.of(
          "drawing",
          "touching",
          "public.touching",
          "locking",
          "scratch",
          "guarded",
          "\"touching\"");

  /** Stands before whatever needs the primary until the statement is whole. */
  private static final String MARK = "\u0001";

  private final Random random;
  private final int unsafeOneIn;
  private int aliases;

  SqlGenerator(long seed, int unsafeOneIn) {
    this.random = new Random(seed);
    this.unsafeOneIn = unsafeOneIn;
  }

  Generated next() {
    aliases = 0;
    boolean write = random.nextInt(unsafeOneIn * 2) == 0;
    String made = write ? MARK + one(WRITES).formatted(1 + random.nextInt(9)) : statement();
    String sql = made.replace(MARK, "");
    return new Generated(dressed(sql), sql.length() < made.length());
  }

  private String statement() {
    return switch (random.nextInt(8)) {
      case 0 -> "VALUES (" + number(2) + ", " + text(2) + "), (" + number(2) + ", 'z')";
      case 1 -> "EXPLAIN " + query(2);
      case 2 -> "(" + query(2) + ") UNION ALL (" + query(1) + ") ORDER BY 1 LIMIT 3";
      case 3 -> with(2);
      default -> query(3);
    };
  }

  /** A query of one column, of numbers. */
  private String query(int depth) {
    String alias = "t" + aliases++;
    String column = alias + ".id";
    StringBuilder sql = new StringBuilder("SELECT ");
    boolean grouped = random.nextInt(4) == 0;
    sql.append(
        grouped
            ? "count(*)::int + " + constant()
            : one("", "", "DISTINCT ") + number(depth, column));
    sql.append(" AS id FROM ").append(table(depth)).append(' ').append(alias);
    if (random.nextInt(3) == 0) {
      String other = "j" + aliases++;
      sql.append(one(" JOIN ", " LEFT JOIN ", " CROSS JOIN LATERAL "));
      boolean lateral = sql.toString().endsWith("LATERAL ");
      sql.append(lateral ? "(SELECT " + column + " AS id)" : table(depth - 1))
          .append(' ')
          .append(other);
      sql.append(lateral ? "" : " ON " + other + ".id = " + column);
    }
    if (random.nextInt(2) == 0) {
      sql.append(" WHERE ").append(condition(depth, column));
    }
    if (grouped) {
      sql.append(" GROUP BY ").append(column).append(one("", " HAVING count(*) > 0"));
    } else if (random.nextInt(3) == 0) {
      sql.append(" ORDER BY 1").append(one("", " DESC NULLS LAST"));
    }
    return sql.append(one("", "", " LIMIT 5", " OFFSET 0", " FETCH FIRST 2 ROWS ONLY")).toString();
  }

  private String with(int depth) {
    String name = "q" + aliases++;
    boolean writes = unsafe(3);
    String body =
        writes
            ? MARK
                + one(
                    "INSERT INTO item VALUES (77, 'x', 1) RETURNING id",
                    "UPDATE item SET label = label WHERE id = 1 RETURNING id",
                    "DELETE FROM part WHERE id = 99 RETURNING id",
                    "MERGE INTO item i USING part p ON p.id = i.id WHEN MATCHED THEN DO NOTHING RETURNING i.id")
            : query(depth);
    return "WITH "
        + one("", "", "RECURSIVE ")
        + name
        + " AS "
        + one("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
        + "("
        + body
        + ") SELECT x.id FROM "
        + name
        + " x WHERE "
        + condition(depth - 1, "x.id");
  }

  private String table(int depth) {
    if (unsafe(1)) {
      // All have a column id.
      return MARK + one(UNSAFE_TABLES);
    }
    if (depth > 1 && random.nextInt(3) == 0) {
      return "(" + query(depth - 1) + ")";
    }
    return one(
        "item",
        "public.item",
        "\"item\"",
        "part",
        "plain",
        "kept",
        "(SELECT v.column1 AS id FROM (VALUES (1), (2)) v)",
        "(TABLE part)",
        "(SELECT g AS id FROM generate_series(1, 3) g)",
        "(SELECT id FROM item TABLESAMPLE bernoulli (50))",
        "(SELECT oid::int AS id FROM pg_class WHERE relkind = 'r' LIMIT 3)",
        "(SELECT (x ->> 'a')::int AS id FROM jsonb_array_elements('[{\"a\": 1}]') x)");
  }

  private String condition(int depth, String column) {
    return switch (depth <= 0 ? random.nextInt(4) : random.nextInt(9)) {
      case 0 -> column + " = " + constant();
      case 1 -> column + " BETWEEN " + constant() + " AND " + number(depth - 1, column);
      case 2 -> column + " IS NOT NULL AND " + text(depth - 1) + " LIKE '%'";
      case 3 -> column + one(" < ", " >= ", "<>", " IS DISTINCT FROM ") + number(depth - 1, column);
      case 4 -> column + " IN (" + query(depth - 1) + ")";
      case 5 -> "EXISTS (" + query(depth - 1) + ")";
      case 6 -> column + " = ANY (ARRAY[" + number(depth - 1, column) + ", 2])";
      case 7 -> "NOT (" + condition(depth - 1, column) + ")";
      default -> "(" + condition(depth - 1, column) + ") OR (" + condition(depth - 1, column) + ")";
    };
  }

  private String number(int depth) {
    return number(depth, constant());
  }

  private String number(int depth, String column) {
    if (unsafe(1)) {
      return MARK + one(UNSAFE_NUMBERS);
    }
    if (depth <= 0) {
      return one(column, constant());
    }
    String inner = number(depth - 1, column);
    return one(
        column,
        inner + one(" + ", " - ", " * ", "+", "%") + "2",
        "abs(" + inner + ")",
        "coalesce(" + inner + ", " + column + ")",
        "CASE WHEN " + condition(depth - 1, column) + " THEN " + inner + " ELSE 0 END",
        "(SELECT max(m.id) FROM part m)",
        "twice(" + inner + ")",
        "public.careful(" + inner + ")",
        "length(" + text(depth - 1) + ")",
        "(ARRAY[1, " + inner + "])[2]",
        "extract(year FROM now())::int",
        "CAST(" + inner + " AS positive)",
        "(" + inner + " <+> 1)",
        "greatest(" + inner + ", 1)",
        "(random() * 10)::int",
        "nullif(" + inner + ", 3)",
        "(ROW(" + inner + ", 1)::pair).a",
        "coalesce((SELECT total(z.id) FROM part z), 0)::int",
        "(sum(" + column + ") OVER ())::int");
  }

  private String text(int depth) {
    if (depth <= 0) {
      return one("'x'", "'nextval(1)'", "$$touch()$$", "'it''s'", "E'\\'touch()'", "'for update'");
    }
    String inner = text(depth - 1);
    return one(
        "upper(" + inner + ")",
        inner + " || 'y'",
        "substring(" + inner + " FROM 1 FOR 2)",
        "trim(both 'x' from " + inner + ")",
        "concat_ws(',', " + inner + ", " + number(depth - 1) + ")",
        "to_char(clock_timestamp(), 'YYYY')",
        "md5(" + inner + ")",
        "(" + inner + " COLLATE \"C\")",
        "'good'::mood::text");
  }

  private String constant() {
    return one("1", "2", "-3", "0x1F", "1_000", "'7'::int", "int '4'");
  }

  private boolean unsafe(int likelier) {
    return random.nextInt(Math.max(1, unsafeOneIn * 4 / likelier)) == 0;
  }

  /** Comments, blanks and letter case that change nothing. */
  private String dressed(String sql) {
    return switch (random.nextInt(8)) {
      case 0 -> "/* a ; /* b */ for update */ " + sql;
      case 1 -> sql + " -- delete from item";
      case 2 -> sql.replace(" FROM ", "\n  from/**/");
      case 3 -> sql.replace("SELECT ", "select\t").replace(" WHERE ", " -- nextval('s')\nwhere ");
      case 4 -> sql + ";";
      default -> sql;
    };
  }

  private String one(String... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private String one(List<String> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
