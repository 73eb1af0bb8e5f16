package dev.aquifer.tsquery.flux;

import dev.aquifer.tsquery.flux.Token.Kind;
import java.util.function.Consumer;

/** Reads the type of a builtin into its canonical text; nothing here asks what types mean. */
final class TypeParser {
  private final Cursor cursor;

  TypeParser(Cursor cursor) {
    this.cursor = cursor;
  }

  String type() {
    StringBuilder text = new StringBuilder();
    type(text);
    if (cursor.atWord("where")) {
      cursor.take();
      text.append(" where ");
      constraint(text);
      while (cursor.takeIf(",")) {
        text.append(", ");
        constraint(text);
      }
    }
    return text.toString();
  }

  private void constraint(StringBuilder text) {
    text.append(cursor.expectName().text());
    cursor.expect(":");
    text.append(": ").append(cursor.expectName().text());
    while (cursor.takeIf("+")) {
      text.append(" + ").append(cursor.expectName().text());
    }
  }

  private void type(StringBuilder text) {
    cursor.enter();
    if (cursor.takeIf("[")) {
      text.append('[');
      type(text);
      if (cursor.takeIf(":")) {
        text.append(": ");
        type(text);
      }
      cursor.expect("]");
      text.append(']');
    } else if (cursor.takeIf("{")) {
      record(text);
    } else if (cursor.takeIf("(")) {
      text.append('(');
      list(")", this::parameter, text);
      cursor.expect("=>");
      text.append(" => ");
      type(text);
    } else {
      boolean stream = cursor.atWord("stream");
      text.append(cursor.expectName().text());
      if (stream) {
        cursor.expect("[");
        text.append('[');
        type(text);
        cursor.expect("]");
        text.append(']');
      }
    }
    cursor.leave();
  }

  private void record(StringBuilder text) {
    text.append('{');
    if (cursor.at(Kind.NAME)) {
      String name = cursor.take().text();
      if (cursor.atWord("with")) {
        cursor.take();
        text.append(name).append(" with ");
        list("}", this::property, text);
        return;
      }
      text.append(name);
      typed(text);
      if (cursor.takeIf(",") && !cursor.at("}")) {
        text.append(", ");
      }
    }
    list("}", this::property, text);
  }

  private void list(String end, Consumer<StringBuilder> item, StringBuilder text) {
    boolean first = true;
    while (!cursor.at(end)) {
      if (!first) {
        text.append(", ");
      }
      first = false;
      item.accept(text);
      if (!cursor.takeIf(",")) {
        break;
      }
    }
    cursor.expect(end);
    text.append(end);
  }

  private void property(StringBuilder text) {
    if (cursor.at(Kind.TEXT)) {
      text.append(FluxLiteral.text(cursor.take().text()));
    } else {
      text.append(cursor.expectName().text());
    }
    typed(text);
  }

  private void parameter(StringBuilder text) {
    if (cursor.takeIf("<-")) {
      text.append("<-");
      if (cursor.at(Kind.NAME)) {
        text.append(cursor.take().text());
      }
      typed(text);
      return;
    }
    boolean optional = cursor.takeIf("?");
    text.append(optional ? "?" : "").append(cursor.expectName().text());
    typed(text);
    if (optional && cursor.takeIf("=")) {
      text.append(" = ").append(FluxLiteral.text(cursor.expectText().text()));
    }
  }

  private void typed(StringBuilder text) {
    cursor.expect(":");
    text.append(": ");
    type(text);
  }
}
