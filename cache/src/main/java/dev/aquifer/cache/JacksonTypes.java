package dev.aquifer.cache;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.aquifer.ConfigurationException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.annotation.JsonDeserialize;

/**
 * Says, when a cache is made, which of the declared types could be written but never read back, or
 * only by loading a class that bytes name.
 */
final class JacksonTypes {
  private final Type root;
  private final Set<Type> seen = new HashSet<>();

  private JacksonTypes(Type root) {
    this.root = root;
  }

  static void check(Type type) {
    new JacksonTypes(type).visit(type);
  }

  /** Whether subclasses are told apart by name without an annotation. */
  static boolean sealed(Class<?> type) {
    return type.isSealed() && !type.isEnum();
  }

  private void visit(Type type) {
    if (!seen.add(type)) {
      return;
    }
    if (type instanceof ParameterizedType named) {
      Class<?> raw = (Class<?>) named.getRawType();
      visit(raw);
      for (Type argument : named.getActualTypeArguments()) {
        visit(argument);
      }
      if (Map.class.isAssignableFrom(raw) && named.getActualTypeArguments().length == 2) {
        key(named.getActualTypeArguments()[0]);
      }
    } else if (type instanceof GenericArrayType array) {
      visit(array.getGenericComponentType());
    } else if (type instanceof WildcardType wildcard) {
      for (Type bound : wildcard.getUpperBounds()) {
        visit(bound);
      }
    } else if (type instanceof Class<?> c) {
      visit(c);
    }
  }

  private void visit(Class<?> type) {
    if (type == Class.class || java.lang.reflect.Member.class.isAssignableFrom(type)) {
      throw refused(type, "would have bytes name a class. Keep a name of your own instead");
    }
    annotated(type, type.getName());
    if (type.isArray()) {
      visit(type.getComponentType());
    } else if (type.isRecord()) {
      for (RecordComponent component : type.getRecordComponents()) {
        annotated(component.getAccessor(), type.getName() + '.' + component.getName());
        visit(component.getGenericType());
      }
    } else if (!type.isPrimitive() && !type.isEnum() && !type.getName().startsWith("java.")) {
      if (sealed(type)) {
        names(type, new HashSet<>());
        for (Class<?> permitted : type.getPermittedSubclasses()) {
          visit(permitted);
        }
      } else if (Modifier.isAbstract(type.getModifiers())) {
        instantiable(type);
      }
      fields(type);
    }
  }

  private void fields(Class<?> type) {
    for (Class<?> c = type; c != null && !c.getName().startsWith("java."); c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        if ((field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0) {
          annotated(field, c.getName() + '.' + field.getName());
          visit(field.getGenericType());
        }
      }
    }
  }

  private void names(Class<?> type, Set<String> found) {
    for (Class<?> permitted : type.getPermittedSubclasses()) {
      if (permitted.isSealed()) {
        names(permitted, found);
      } else if (!Modifier.isFinal(permitted.getModifiers())) {
        throw refused(
            permitted, "is not sealed, so its subclasses cannot be told apart. Make it final");
      } else if (!found.add(permitted.getSimpleName())) {
        throw refused(
            permitted,
            "has the simple name of another one that %s permits. Rename it"
                .formatted(type.getName()));
      }
    }
  }

  private void instantiable(Class<?> type) {
    boolean told =
        type.isAnnotationPresent(JsonTypeInfo.class)
            || type.isAnnotationPresent(JsonSubTypes.class)
            || type.isAnnotationPresent(JsonDeserialize.class)
            || Collection.class.isAssignableFrom(type)
            || Map.class.isAssignableFrom(type);
    for (java.lang.reflect.Method method : type.getDeclaredMethods()) {
      told |= method.isAnnotationPresent(JsonCreator.class);
    }
    if (!told) {
      throw refused(
          type,
          "is abstract, so it could be written and never be read. Make it sealed, or declare the class itself");
    }
  }

  private void key(Type type) {
    Class<?> key = type instanceof Class<?> c ? c : null;
    if (type instanceof ParameterizedType
        || (key != null && (key.isRecord() || key.isArray()) && !valued(key))) {
      throw refused(
          type,
          "is no key of a map that could be read back. Use text, a number, an enum, a UUID or a time, or a list of entries");
    }
  }

  private static boolean valued(Class<?> type) {
    for (java.lang.reflect.Method method : type.getDeclaredMethods()) {
      if (method.isAnnotationPresent(JsonValue.class)
          || method.isAnnotationPresent(JsonCreator.class)) {
        return true;
      }
    }
    return false;
  }

  private void annotated(@Nullable AnnotatedElement element, String where) {
    JsonTypeInfo info = element == null ? null : element.getAnnotation(JsonTypeInfo.class);
    if (info != null
        && (info.use() == JsonTypeInfo.Id.CLASS || info.use() == JsonTypeInfo.Id.MINIMAL_CLASS)) {
      throw new ConfigurationException(
          "%s says @JsonTypeInfo(use = %s), so bytes in Redis would name classes. Use Id.NAME."
              .formatted(where, info.use()));
    }
  }

  private ConfigurationException refused(Type type, String why) {
    return new ConfigurationException(
        "Values of type %s cannot be cached: %s %s.%s"
            .formatted(
                root.getTypeName(),
                type.getTypeName(),
                why,
                " Or give the cache a codec of your own."));
  }
}
