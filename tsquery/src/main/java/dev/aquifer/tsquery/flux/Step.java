package dev.aquifer.tsquery.flux;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One transformation of a script as the server's planner sees it: functions of the script are gone,
 * {@code aggregateWindow} and its like are taken apart. Compared by identity.
 */
final class Step {
  private final String kind;
  private final Expression.Call call;
  private final List<Step> inputs;
  private final Map<String, Meaning> arguments;

  Step(String kind, Expression.Call call, List<Step> inputs, Map<String, Meaning> arguments) {
    this.kind = kind;
    this.call = call;
    this.inputs = List.copyOf(inputs);
    this.arguments = Map.copyOf(arguments);
  }

  /** Its name among the server's plan nodes. */
  String kind() {
    return kind;
  }

  /** What the script calls; several steps may come from one call. */
  Expression.Call call() {
    return call;
  }

  /** As the script writes it. */
  String written() {
    return Messages.shown(Printer.print(call.callee()));
  }

  Place place() {
    return call.place();
  }

  List<Step> inputs() {
    return inputs;
  }

  boolean has(String argument) {
    return arguments.containsKey(argument);
  }

  @Nullable Meaning argument(String name) {
    return arguments.get(name);
  }

  @Nullable Expression constant(String name) {
    return arguments.get(name) instanceof Meaning.Constant constant ? constant.value() : null;
  }

  /** The text that an argument is, or {@code absent} where there is none; null if not known. */
  @Nullable String text(String name, @Nullable String absent) {
    if (!has(name)) {
      return absent;
    }
    return constant(name) instanceof Expression.Text text ? text.value() : null;
  }

  /** Whether an argument is {@code value}, or is absent and {@code absent} holds. */
  boolean is(String name, boolean value, boolean absent) {
    if (!has(name)) {
      return absent;
    }
    return constant(name) instanceof Expression.Name word
        && word.name().equals(Boolean.toString(value));
  }

  /** The texts that an argument lists; null where that is not known. */
  @Nullable List<String> texts(String name) {
    if (!(constant(name) instanceof Expression.Array array)) {
      return null;
    }
    List<String> texts =
        array.elements().stream()
            .filter(Expression.Text.class::isInstance)
            .map(element -> ((Expression.Text) element).value())
            .toList();
    return texts.size() == array.elements().size() ? texts : null;
  }
}
