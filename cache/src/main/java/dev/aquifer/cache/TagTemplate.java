package dev.aquifer.cache;

import dev.aquifer.Tag;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A tag whose name takes parts from a method's arguments: {@code flight:{id}}. */
final class TagTemplate {
  /** Text, or an argument and the components on the way into it. */
  record Part(String text, int argument, List<RecordComponent> path, String name) {
    @Nullable Object value(@Nullable Object[] arguments) {
      return TagTemplate.value(arguments[argument], path);
    }

    Class<?> type(Method method) {
      return path.isEmpty()
          ? method.getParameterTypes()[argument]
          : path.get(path.size() - 1).getType();
    }

    /** Components are equal to themselves only, and read anew each time. */
    List<String> steps() {
      return path.stream().map(RecordComponent::getName).toList();
    }

    Type genericType(Method method) {
      return path.isEmpty()
          ? method.getGenericParameterTypes()[argument]
          : path.get(path.size() - 1).getGenericType();
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Part that
          && text.equals(that.text)
          && argument == that.argument
          && steps().equals(that.steps());
    }

    @Override
    public int hashCode() {
      return text.hashCode() * 31 + argument;
    }
  }

  private final List<Part> parts;
  private final String text;

  private TagTemplate(List<Part> parts, String text) {
    this.parts = parts;
    this.text = text;
  }

  /** The same, for the arguments that are left of a key. */
  TagTemplate within(KeyTemplate key) {
    return new TagTemplate(parts.stream().map(part -> key.within(part, this)).toList(), text);
  }

  @Override
  public String toString() {
    return text;
  }

  boolean fixed() {
    return parts.stream().allMatch(part -> part.argument < 0);
  }

  /** Throws an IllegalArgumentException where a placeholder names nothing. */
  static TagTemplate parse(String text, Method method) {
    List<Part> parts = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      int open = text.indexOf('{', at);
      int end = open < 0 ? text.length() : open;
      if (text.substring(at, end).indexOf('}') >= 0) {
        throw new IllegalArgumentException("the tag '%s' has a } without a {".formatted(text));
      }
      if (end > at) {
        parts.add(new Part(text.substring(at, end), -1, List.of(), ""));
      }
      if (open < 0) {
        break;
      }
      int close = text.indexOf('}', open);
      if (close < 0) {
        throw new IllegalArgumentException("the tag '%s' has a { without a }".formatted(text));
      }
      parts.add(
          placeholder(text.substring(open + 1, close), "the tag '%s'".formatted(text), method));
      at = close + 1;
    }
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("a tag is empty");
    }
    TagTemplate template = new TagTemplate(parts, text);
    if (template.fixed()) {
      Tag.of(text);
    }
    return template;
  }

  /** The tag of a call. */
  Tag tag(@Nullable Object[] arguments) {
    StringBuilder name = new StringBuilder();
    for (Part part : parts) {
      if (part.argument < 0) {
        name.append(part.text);
      } else {
        name.append(part.value(arguments));
      }
    }
    return Tag.of(name.toString());
  }

  private static @Nullable Object value(@Nullable Object argument, List<RecordComponent> path) {
    Object value = argument;
    for (RecordComponent component : path) {
      value = value == null ? null : KeyText.component((Record) value, component);
    }
    return value instanceof Optional<?> optional ? optional.orElse(null) : value;
  }

  /** A parameter, or a component of one; throws an IllegalArgumentException where it is none. */
  static Part placeholder(String name, String where, Method method) {
    String[] steps = name.split("\\.", -1);
    Parameter[] parameters = method.getParameters();
    int argument = -1;
    for (int i = 0; i < parameters.length; i++) {
      if (steps[0].equals(Integer.toString(i))
          || (parameters[i].isNamePresent() && steps[0].equals(parameters[i].getName()))) {
        argument = i;
      }
    }
    if (argument < 0) {
      throw new IllegalArgumentException(
          "%s names '%s', which is no parameter (compile with -parameters, or use its index)"
              .formatted(where, steps[0]));
    }
    List<RecordComponent> path = new ArrayList<>();
    Class<?> type = parameters[argument].getType();
    for (int i = 1; i < steps.length; i++) {
      RecordComponent found = null;
      if (type.isRecord()) {
        for (RecordComponent component : type.getRecordComponents()) {
          found = component.getName().equals(steps[i]) ? component : found;
        }
      }
      if (found == null) {
        throw new IllegalArgumentException(
            "%s names '%s', which is no component of a record".formatted(where, name));
      }
      path.add(found);
      type = found.getType();
    }
    return new Part("", argument, path, name);
  }
}
