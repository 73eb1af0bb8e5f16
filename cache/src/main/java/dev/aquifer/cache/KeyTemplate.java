package dev.aquifer.cache;

import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The key of a call: all its arguments, or those parts of them that an annotation chose. */
final class KeyTemplate {
  private final @Nullable List<TagTemplate.Part> chosen;
  private final List<Class<?>> types;
  private final List<Type> genericTypes;
  private final boolean plain;

  private KeyTemplate(
      @Nullable List<TagTemplate.Part> chosen, List<Class<?>> types, List<Type> genericTypes) {
    this.chosen = chosen;
    this.types = List.copyOf(types);
    this.genericTypes = List.copyOf(genericTypes);
    this.plain = types.stream().allMatch(KeyText::simple);
  }

  /** Throws an IllegalArgumentException where a part names nothing, or is named twice. */
  static KeyTemplate of(String[] names, Method method) {
    if (names.length == 0) {
      return new KeyTemplate(
          null,
          Arrays.stream(method.getParameterTypes()).<Class<?>>map(KeyTemplate::boxed).toList(),
          List.of(method.getGenericParameterTypes()));
    }
    List<TagTemplate.Part> parts = new ArrayList<>();
    List<Class<?>> types = new ArrayList<>();
    List<Type> genericTypes = new ArrayList<>();
    for (String name : names) {
      TagTemplate.Part part = TagTemplate.placeholder(name, "the key '%s'".formatted(name), method);
      if (parts.contains(part)) {
        throw new IllegalArgumentException("names '%s' in its key twice".formatted(name));
      }
      parts.add(part);
      types.add(boxed(part.type(method)));
      genericTypes.add(part.genericType(method));
    }
    return new KeyTemplate(parts, types, genericTypes);
  }

  /** What its parts are, in order: keys of other types are other keys. */
  List<Class<?>> types() {
    return types;
  }

  List<Type> genericTypes() {
    return genericTypes;
  }

  boolean all() {
    return chosen == null;
  }

  /** The key of a call. */
  Object key(@Nullable Object @Nullable [] arguments) {
    if (chosen == null || arguments == null) {
      return CallKey.of(arguments, plain);
    }
    return CallKey.of(chosen.stream().map(part -> part.value(arguments)).toArray(), plain);
  }

  /** The part of a tag as one of the key's, since tags are told from keys. */
  TagTemplate.Part within(TagTemplate.Part part, TagTemplate tag) {
    if (chosen == null || part.argument() < 0) {
      return part;
    }
    for (int i = 0; i < chosen.size(); i++) {
      TagTemplate.Part candidate = chosen.get(i);
      int depth = candidate.path().size();
      if (candidate.argument() == part.argument()
          && depth <= part.path().size()
          && candidate.steps().equals(part.steps().subList(0, depth))) {
        return new TagTemplate.Part(
            "", i, part.path().subList(depth, part.path().size()), part.name());
      }
    }
    throw new IllegalArgumentException(
        "has the tag '%s' with '%s', which is no part of its key; add it to the key"
            .formatted(tag, part.name()));
  }

  static Class<?> boxed(Class<?> type) {
    return type.isPrimitive()
        ? java.lang.invoke.MethodType.methodType(type).wrap().returnType()
        : type;
  }
}
