package dev.aquifer.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LexerTest {

  private static List<String> texts(String sql) {
    Tokens tokens = Lexer.scan(sql);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      texts.add(tokens.text(i));
    }
    assertThat(tokens.complete).as(sql).isTrue();
    return texts;
  }

  private static List<Token> kinds(String sql) {
    Tokens tokens = Lexer.scan(sql);
    List<Token> kinds = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      kinds.add(tokens.kind(i));
    }
    return kinds;
  }

  @Test
  void scan_comments_leavesThemOut() {
    assertThat(texts("a/* x /* y */ z */b--c\nd/**/--")).containsExactly("a", "b", "d");
    assertThat(texts("a--b\rc")).containsExactly("a", "c");
    assertThat(texts("a - - b")).containsExactly("a", "-", "-", "b");
  }

  @Test
  void scan_operatorWithCommentInside_endsBeforeIt() {
    assertThat(texts("a+--b\nc")).containsExactly("a", "+", "c");
    assertThat(texts("a*/*b*/c")).containsExactly("a", "*", "c");
    assertThat(texts("a@-/*b*/c")).containsExactly("a", "@-", "c");
  }

  @Test
  void scan_operatorThatEndsInSign_givesTheSignUnlessASpecialCharacterIsInIt() {
    assertThat(texts("a=-1")).containsExactly("a", "=", "-", "1");
    assertThat(texts("a<>-+b")).containsExactly("a", "<>", "-", "+", "b");
    assertThat(texts("a@-b")).containsExactly("a", "@-", "b");
    assertThat(texts("a->-1")).containsExactly("a", "->", "-", "1");
    assertThat(texts("a!=-1")).containsExactly("a", "!=-", "1");
  }

  @Test
  void scan_strings_takesEachWhole() {
    assertThat(texts("'it''s' 'a\\' x")).containsExactly("'it''s'", "'a\\'", "x");
    assertThat(texts("E'it\\'s' e'\\\\' x")).containsExactly("E'it\\'s'", "e'\\\\'", "x");
    assertThat(texts("B'01' x'AF' N'n' U&'d\\0061' y"))
        .containsExactly("B'01'", "x'AF'", "N'n'", "U&'d\\0061'", "y");
    assertThat(texts("namee'x'")).containsExactly("namee", "'x'");
    assertThat(texts("u & 'x'")).containsExactly("u", "&", "'x'");
  }

  @Test
  void scan_stringContinuedBehindALineBreak_goesOnByTheRulesOfItsFirstPart() {
    assertThat(texts("'a'\n'b'")).containsExactly("'a'\n'b'");
    assertThat(texts("'a' -- x\n  'b' c")).containsExactly("'a' -- x\n  'b'", "c");
    assertThat(texts("E'a'\n'\\'' b")).containsExactly("E'a'\n'\\''", "b");
    assertThat(texts("'a'\n'\\' b")).containsExactly("'a'\n'\\'", "b");
    assertThat(texts("'a' 'b'")).containsExactly("'a'", "'b'");
    assertThat(texts("'a' /* \n */ 'b'")).containsExactly("'a'", "'b'");
    assertThat(texts("'a'\n-'b'")).containsExactly("'a'", "-", "'b'");
  }

  @Test
  void scan_dollarQuotes_takesEachWhole() {
    assertThat(texts("$$ ' $a$ $$ x")).containsExactly("$$ ' $a$ $$", "x");
    assertThat(texts("$a1$ $$ $a$ $a1$ x")).containsExactly("$a1$ $$ $a$ $a1$", "x");
    assertThat(texts("$é$'$é$ x")).containsExactly("$é$'$é$", "x");
    assertThat(texts("a$b$c d$$")).containsExactly("a$b$c", "d$$");
    assertThat(kinds("$1 $23")).containsExactly(Token.PARAMETER, Token.PARAMETER);
  }

  @Test
  void scan_identifiers_takesEveryCharacterAboveAsciiAsALetter() {
    assertThat(texts("größe \u00a0x a\u2003b 表\uD83D\uDE00"))
        .containsExactly("größe", "\u00a0x", "a\u2003b", "表\uD83D\uDE00");
    assertThat(texts("\"a\"\"b\" U&\"c\" \" d\""))
        .containsExactly("\"a\"\"b\"", "U&\"c\"", "\" d\"");
  }

  @Test
  void scan_numbers_takesEachWhole() {
    assertThat(texts("1_000 0xFf_1 0o17 0b101 1e5 1.5E-3 .5 1."))
        .containsExactly("1_000", "0xFf_1", "0o17", "0b101", "1e5", "1.5E-3", ".5", "1.");
  }

  @Test
  void scan_parametersOfClients_tellsThemFromCastsSlicesAndArguments() {
    assertThat(kinds("a = :name and b = ?"))
        .containsExactly(
            Token.WORD,
            Token.OPERATOR,
            Token.NAMED_PARAMETER,
            Token.WORD,
            Token.WORD,
            Token.OPERATOR,
            Token.PARAMETER);
    assertThat(kinds("a::int")).containsExactly(Token.WORD, Token.CAST, Token.WORD);
    assertThat(kinds("a := 1")).containsExactly(Token.WORD, Token.ARGUMENT, Token.NUMBER);
    assertThat(kinds("a=>1")).containsExactly(Token.WORD, Token.ARGUMENT, Token.NUMBER);
    assertThat(kinds("[1:2]"))
        .containsExactly(
            Token.LEFT_BRACKET, Token.NUMBER, Token.COLON, Token.NUMBER, Token.RIGHT_BRACKET);
    assertThat(texts(":a.b ,:c?.d, :e.")).containsExactly(":a.b", ",", ":c?.d", ",", ":e", ".");
    assertThat(kinds("a\\:\\:int")).containsExactly(Token.WORD, Token.CAST, Token.WORD);
    assertThat(kinds("a[1\\:b]")).contains(Token.COLON).doesNotContain(Token.NAMED_PARAMETER);
  }

  @Test
  void scan_questionMarks_tellsParametersFromOperators() {
    assertThat(kinds("?=?")).containsExactly(Token.PARAMETER, Token.OPERATOR, Token.PARAMETER);
    assertThat(kinds("a ?? b")).containsExactly(Token.WORD, Token.OPERATOR, Token.WORD);
    Tokens tokens = Lexer.scan("a ??| b @?? c");
    assertThat(tokens.operator(1)).isEqualTo("?|");
    assertThat(tokens.operator(3)).isEqualTo("@?");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'",
        "'a",
        "'a''",
        "E'\\'",
        "E'\\",
        "\"",
        "\"a\"\"",
        "/*",
        "/* /* */",
        "$$",
        "$a$ $b$",
        "$a",
        "$",
        "U&'",
        "U&\"",
        "'a'\n'",
        "\\",
        "{",
        "}",
        "a\0",
        "'\0'",
        "\uD800",
        "a\uDC00",
        "0x",
        "0b2",
        "1a",
        "1_",
        "1__0",
        "$1a",
        "1e5x",
        "0xg",
        "1..2",
        "a..b"
      })
  void scan_textThatEndsWithinATokenOrIsNone_isIncomplete(String sql) {
    assertThat(Lexer.scan(sql).complete).isFalse();
    assertThat(SqlStatement.analyze("select " + sql).reason()).isEqualTo(Reason.NOT_UNDERSTOOD);
  }

  @Test
  void name_foldsCutsAndUnescapes() {
    assertThat(Lexer.scan("FlightÄ").name(0)).isEqualTo("flightÄ");
    assertThat(Lexer.scan("\"Fl\"\"x\"").name(0)).isEqualTo("Fl\"x");
    assertThat(Lexer.scan("U&\"\\0061\\+01F600\\\\\"").name(0)).isEqualTo("a\uD83D\uDE00\\");
    assertThat(Lexer.scan("U&\"\\00zz\"").name(0)).isNull();
    assertThat(Lexer.scan("U&\"\\D83D\"").name(0)).isNull();
    assertThat(Lexer.scan("\"\"").name(0)).isNull();
    assertThat(Lexer.scan("a".repeat(64)).name(0)).isEqualTo("a".repeat(63));
    assertThat(Lexer.scan("é".repeat(40)).name(0)).isEqualTo("é".repeat(31));
    assertThat(Lexer.scan("a" + "\uD83D\uDE00".repeat(16)).name(0))
        .isEqualTo("a" + "\uD83D\uDE00".repeat(15));
  }
}
