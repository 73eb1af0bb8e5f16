package dev.aquifer.cache;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;

/**
 * The shape of a type as text: names and types of all that its values are made of, constants of its
 * enums, subclasses that a sealed one permits, what annotations tell the codec. A class that was
 * changed in any of these is another schema, also where the old bytes could still be read: a
 * component that has another name would read as none. A class that was renamed or moved is another
 * one too, since it may mean something else; one from another class loader is not.
 */
final class Schema {
  private final StringBuilder text = new StringBuilder();
  private final Set<Type> seen = new HashSet<>();

  private Schema() {}

  static String of(Type type) {
    Schema schema = new Schema();
    schema.describe(type);
    return schema.text.toString();
  }

  /** All types that values of this one are made of, as far as they are declared. */
  static Set<Type> reached(Type type) {
    Schema schema = new Schema();
    schema.describe(type);
    return schema.seen;
  }

  private void describe(Type type) {
    text.append(type.getTypeName());
    if (!seen.add(type)) {
      return;
    }
    if (type instanceof ParameterizedType named) {
      text.append('<');
      describe(named.getRawType());
      all(named.getActualTypeArguments());
      text.append('>');
    } else if (type instanceof GenericArrayType array) {
      text.append('[');
      describe(array.getGenericComponentType());
    } else if (type instanceof WildcardType wildcard) {
      all(wildcard.getUpperBounds());
    } else if (type instanceof Class<?> c) {
      members(c);
    }
  }

  private void all(Type[] types) {
    for (Type type : types) {
      text.append(',');
      describe(type);
    }
  }

  private void members(Class<?> type) {
    annotations(type);
    if (type.isArray()) {
      text.append('[');
      describe(type.getComponentType());
    } else if (type.isEnum()) {
      for (Object constant : type.getEnumConstants()) {
        text.append(' ').append(((Enum<?>) constant).name());
      }
    } else if (type.isRecord()) {
      text.append('(');
      for (RecordComponent component : type.getRecordComponents()) {
        member(component.getName(), component.getGenericType(), component.getAccessor());
      }
      text.append(')');
    } else if (!type.isPrimitive() && !type.getName().startsWith("java.")) {
      fields(type);
    }
    if (type.isSealed()) {
      all(type.getPermittedSubclasses());
    }
  }

  private void fields(Class<?> type) {
    text.append('{');
    // Sorted: reflection promises no order.
    Field[] fields = type.getDeclaredFields();
    Arrays.sort(fields, Comparator.comparing(Field::getName));
    for (Field field : fields) {
      if ((field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0
          && !field.isSynthetic()) {
        member(field.getName(), field.getGenericType(), field);
      }
    }
    text.append('}');
    if (type.getGenericSuperclass() != null) {
      describe(type.getGenericSuperclass());
    }
  }

  private void member(String name, Type type, AnnotatedElement element) {
    annotations(element);
    text.append(name).append(':');
    describe(type);
    text.append(';');
  }

  private void annotations(AnnotatedElement element) {
    for (Annotation annotation : element.getAnnotations()) {
      String name = annotation.annotationType().getName();
      if (name.contains(".jackson.") || name.contains(".fory.")) {
        text.append(annotation);
      }
    }
  }
}
