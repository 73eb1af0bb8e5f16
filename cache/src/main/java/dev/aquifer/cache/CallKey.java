package dev.aquifer.cache;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/** The arguments of a call as a key: a list of them, whose hash is computed once. */
final class CallKey extends AbstractList<@Nullable Object> implements RandomAccess {
  private final @Nullable Object[] arguments;
  private final int hash;

  /** Whether each is immutable and equal by what it holds, so that this may be kept as it is. */
  final boolean simple;

  private CallKey(@Nullable Object[] arguments, boolean simple) {
    this.arguments = arguments;
    this.simple = simple;
    this.hash = simple ? Arrays.hashCode(arguments) : 0;
  }

  /**
   * One simple argument is the key itself; others are a list.
   *
   * @param arguments of this call alone; not changed any more
   * @param simple whether all of them are of classes that {@link KeyText#simple} knows
   */
  static Object of(@Nullable Object @Nullable [] arguments, boolean simple) {
    if (arguments == null || arguments.length == 0) {
      return "";
    }
    Object first = arguments[0];
    return simple && arguments.length == 1 && first != null
        ? first
        : new CallKey(arguments, simple);
  }

  static @Nullable Object[] arguments(Object key) {
    return key instanceof List<?> list ? list.toArray() : new Object[] {key};
  }

  @Override
  public @Nullable Object get(int index) {
    return arguments[index];
  }

  @Override
  public int size() {
    return arguments.length;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (other instanceof CallKey that && simple && that.simple) {
      return hash == that.hash && Arrays.equals(arguments, that.arguments);
    }
    return super.equals(other);
  }

  @Override
  public int hashCode() {
    return simple ? hash : super.hashCode();
  }
}
