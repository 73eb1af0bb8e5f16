package dev.aquifer.cache;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Set;

/** How the values of one cache become bytes, and what names the shape of their type. */
final class Values {
  final Codec codec;
  final Codec.ForType bytes;
  final String schema;

  Values(Type type, Codec codec, CacheSettings settings) {
    this.codec = codec;
    this.bytes = codec.forType(type);
    StringBuilder shape = new StringBuilder();
    describe(type, shape, new LinkedHashSet<>());
    shape.append('|').append(codec.id());
    this.schema = HexFormat.of().formatHex(KeyText.sha256(shape.toString()), 0, 6);
  }

  /** The names and types of all that values are made of: a changed class has another schema. */
  private static void describe(Type type, StringBuilder out, Set<Type> seen) {
    out.append(type.getTypeName());
    if (!seen.add(type)) {
      return;
    }
    if (type instanceof ParameterizedType named) {
      describe(named.getRawType(), out.append('<'), seen);
      for (Type argument : named.getActualTypeArguments()) {
        describe(argument, out.append(','), seen);
      }
      out.append('>');
    } else if (type instanceof Class<?> c) {
      members(c, out, seen);
    }
  }

  private static void members(Class<?> type, StringBuilder out, Set<Type> seen) {
    if (type.isArray()) {
      describe(type.getComponentType(), out.append('['), seen);
    } else if (type.isRecord()) {
      out.append('(');
      for (RecordComponent component : type.getRecordComponents()) {
        describe(component.getGenericType(), out.append(component.getName()).append(':'), seen);
      }
      out.append(')');
    } else if (!type.isPrimitive() && !type.isEnum() && !type.getName().startsWith("java.")) {
      out.append('{');
      for (java.lang.reflect.Field field : type.getDeclaredFields()) {
        int modifiers = field.getModifiers();
        if (!java.lang.reflect.Modifier.isStatic(modifiers)
            && !java.lang.reflect.Modifier.isTransient(modifiers)) {
          describe(field.getGenericType(), out.append(field.getName()).append(':'), seen);
        }
      }
      out.append('}');
      if (type.getSuperclass() != null) {
        describe(type.getSuperclass(), out, seen);
      }
    }
  }
}
