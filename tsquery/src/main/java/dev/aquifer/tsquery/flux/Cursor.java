package dev.aquifer.tsquery.flux;

import dev.aquifer.tsquery.flux.Token.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Where a parser is in a script: one token ahead, never more, since a text is read in its parts.
 */
final class Cursor {
  /** How deep a script may be nested while it is read; what recursion there is ends here. */
  static final int MAX_NESTING = 100;

  private final Lexer lexer;
  private @Nullable Token ahead;
  private int nesting;

  Cursor(String text) {
    this.lexer = new Lexer(text);
  }

  Token peek() {
    Token token = ahead;
    if (token == null) {
      token = lexer.next();
      ahead = token;
    }
    return token;
  }

  Token take() {
    Token token = peek();
    ahead = null;
    return token;
  }

  boolean at(String symbol) {
    return peek().is(symbol);
  }

  boolean at(Kind kind) {
    return peek().kind() == kind;
  }

  boolean atWord(String word) {
    return at(Kind.NAME) && peek().text().equals(word);
  }

  boolean takeIf(String symbol) {
    boolean there = at(symbol);
    if (there) {
      take();
    }
    return there;
  }

  Token expect(String symbol) {
    if (!at(symbol)) {
      throw expected("'" + symbol + "'");
    }
    return take();
  }

  Token expectName() {
    if (!at(Kind.NAME)) {
      throw expected("a name");
    }
    return take();
  }

  Token expectText() {
    if (!at(Kind.TEXT)) {
      throw expected("a text without expressions in it");
    }
    return take();
  }

  /** Reads the slash ahead as a regular expression. */
  Token takeRegex() {
    return lexer.regex(take());
  }

  /** See {@link Lexer#part}; nothing may have been looked at ahead. */
  boolean takePart(StringBuilder chunk, Place quote) {
    if (ahead != null) {
      throw new IllegalStateException("a token is ahead");
    }
    return lexer.part(chunk, quote);
  }

  void enter() {
    nesting++;
    if (nesting > MAX_NESTING) {
      throw new RefusedScriptException(
          "nested deeper than " + MAX_NESTING + " levels", peek().place());
    }
  }

  void leave() {
    nesting--;
  }

  RefusedScriptException expected(String what) {
    Token token = peek();
    return new RefusedScriptException(
        "expected " + what + ", found " + token.shown(), token.place());
  }
}
