package dev.aquifer.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FingerprintTest {

  private static SqlStatement of(String sql) {
    return SqlStatement.analyze(sql);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          SELECT  A /* x */ FROM T -- y             | select a from t
          select 1, 'x', :a, ?, $1, 1.5e3, x'ff'    | select ?, ?, ?, ?, ?, ?, ?
          select "a", "B", "select", "a b" from "t" | select a, "B", "select", "a b" from t
          select a from t where b = -1 and c = +2   | select a from t where b = ? and c = ?
          select a -1                               | select a - ?
          select - ?                                | select - ?
          select true, false, null                  | select ?, ?, ?
          select a is null, b is not true, not null | select a is null, b is not true, not null
          select a from t order by a asc, b desc    | select a from t order by a, b desc
          select a from t where b in (1, 2, 3)      | select a from t where b in (?)
          select a from t where b in (1, c, 2, 2)   | select a from t where b in (?, c, ?)
          select (1, 2), f(1, 2)                    | select (?, ?), f(?, ?)
          select array[1, 2, 3], array[[1, 2], [3]] | select array[?], array[[?, ?], [?]]
          insert into t values (1, 2), (3, 4)       | insert into t values(?, ?)
          insert into t values (1, 2), (3, default) | insert into t values(?, ?), (?, default)
          values (1), (2), (3) limit 2              | values(?) limit ?
          values (-1), (2)                          | values(?)
          select a::numeric(10,2), b[1:2]           | select a::numeric(?, ?), b[? : ?]
          select a != b                             | select a <> b
          select 1; select 2;                       | select ?; select ?
          select a ?? b                             | select a ? b
          select 'open                              | select …
          """)
  void normalized_isWhatLikeTextsShare(String sql, String expected) {
    assertThat(of(sql).normalized()).isEqualTo(expected);
  }

  @Test
  void fingerprint_ofTextsThatDifferInLiteralsAlone_isTheSame() {
    long one = of("select * from flight where id = 1 and code in ('a', 'b')").fingerprint();
    assertThat(of("SELECT *\nFROM Flight WHERE id=? AND code IN (:a)").fingerprint())
        .isEqualTo(one);
    assertThat(of("select * from flight where id = 1 and codes in ('a', 'b')").fingerprint())
        .isNotEqualTo(one);
    assertThat(of("select * from \"Flight\" where id = 1 and code in ('a')").fingerprint())
        .isNotEqualTo(one);
  }

  /**
   * Hashes are stored and compared between processes, so they must not move unless the version
   * does.
   */
  @Test
  void fingerprint_isTheSameInEveryProcess() {
    assertThat(of("select 1").fingerprint())
        .isEqualTo(of("select 2").fingerprint())
        .isEqualTo(FIRST);
  }

  private static final long FIRST = -5622744265593003193L;

  @Test
  void fingerprint_ofAHugeText_isBounded() {
    SqlStatement huge = of("select * from t where a in (" + "a1, ".repeat(200_000) + "1)");
    assertThat(huge.normalized().length()).isLessThanOrEqualTo(Fingerprint.MAX_TEXT);
    SqlStatement wide = of("select " + "abcdefgh, ".repeat(50_000) + "1 from t");
    assertThat(wide.normalized()).hasSize(Fingerprint.MAX_TEXT);
  }
}
