package dev.aquifer.bench;

import dev.aquifer.sql.SqlStatement;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A statement is read for the first time: may it go to a replica? */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FirstAnalysis {
  /** Aquifer, 250 characters. */
  @Benchmark
  public SqlStatement aquifer(Statements statements) {
    return SqlStatement.analyze(statements.sql);
  }

  /** Its fingerprint, which is computed once and only for who asks. */
  @Benchmark
  public long fingerprint(Statements statements) {
    return SqlStatement.analyze(statements.sql).fingerprint();
  }

  /** 1 MB of short tokens, five ways. */
  @Benchmark
  @OutputTimeUnit(TimeUnit.MILLISECONDS)
  public SqlStatement longest(LongTexts texts) {
    return SqlStatement.analyze(texts.sql);
  }

  /** Texts of the greatest length looked at, each dense in another way. */
  @State(Scope.Benchmark)
  public static class LongTexts {
    private static final int LENGTH = 1 << 20;

    /** What the text consists of. */
    @Param({"list", "rows", "columns", "operators", "tables"})
    public String kind = "";

    String sql = "";

    /** Fills the text up. */
    @Setup
    public void fill() {
      sql =
          switch (kind) {
            case "list" -> filled("select * from t where a in (1", ",12", ")");
            case "rows" -> filled("insert into t values (1,'a',?)", ",(1,'a',?)", "");
            case "tables" -> filled("select * from t", ",t", "");
            case "columns" -> filled("select a.b", ", a.b as c", " from a");
            default -> filled("select 1", "+1", "");
          };
    }

    private static String filled(String head, String part, String tail) {
      int parts = (LENGTH - head.length() - tail.length()) / part.length();
      return head + part.repeat(parts) + tail;
    }
  }
}
