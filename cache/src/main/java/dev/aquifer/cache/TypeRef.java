package dev.aquifer.cache;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;

/**
 * The full type of a cache's values, which Java's erasure would lose: {@code new
 * TypeRef<List<Flight>>() {}}. Immutable and thread-safe.
 *
 * @param <T> the type
 */
public abstract class TypeRef<T> {
  private final Type type;

  /** The type that the subclass names. */
  protected TypeRef() {
    if (!(getClass().getGenericSuperclass() instanceof ParameterizedType named)) {
      throw new IllegalArgumentException(
          "Name the type: new TypeRef<List<Flight>>() {}, not a raw TypeRef.");
    }
    this.type = named.getActualTypeArguments()[0];
  }

  private TypeRef(Type type) {
    this.type = type;
  }

  /** The type itself. */
  public final Type type() {
    return type;
  }

  static <T> TypeRef<T> of(Type type) {
    return new TypeRef<>(type) {};
  }

  @Override
  public final String toString() {
    return type.getTypeName();
  }
}
