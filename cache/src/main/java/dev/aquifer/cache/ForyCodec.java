package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.ZonedDateTime;
import java.util.Map;
import java.util.TreeMap;
import org.apache.fory.Fory;
import org.apache.fory.ThreadSafeFory;

/**
 * Values as Apache Fory writes them: faster than CBOR, and bound to the version of Fory and to the
 * numbers that classes were registered under. Needs {@code org.apache.fory:fory-core}. Immutable
 * and thread-safe.
 *
 * <p>Every class of a value is registered, with a number that stays its own for good; bytes carry
 * these numbers and no names. A cache whose declared type reaches a class that is not registered is
 * refused when it is made. Nodes with other registrations, or another version of Fory, do not find
 * each other's values.
 */
public final class ForyCodec implements Codec {
  private static final int MAX_DEPTH = 64;
  private static final long MAX_GRAPH = 64L << 20;

  private final ThreadSafeFory fory;
  private final Map<Integer, Class<?>> registered;
  private final String schema;

  private ForyCodec(Map<Integer, Class<?>> registered, ClassLoader loader) {
    this.registered = registered;
    this.fory =
        Fory.builder()
            .withXlang(false)
            .withCompatible(false)
            .withMetaShare(false)
            .withClassLoader(loader)
            .requireClassRegistration(true)
            .withDeserializeUnknownClass(false)
            .withClassVersionCheck(true)
            .withRefTracking(false)
            .withMaxDepth(MAX_DEPTH)
            .withMaxGraphMemoryBytes(MAX_GRAPH)
            .buildThreadSafeForyPool(Math.max(4, 2 * Runtime.getRuntime().availableProcessors()));
    registered.forEach((number, type) -> fory.register(type, number));
    StringBuilder text = new StringBuilder(version(Fory.class));
    registered.forEach((number, type) -> text.append(' ').append(number).append(type.getName()));
    this.schema = text.toString();
  }

  /** A builder without classes. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public int id() {
    return 3;
  }

  @Override
  public int version() {
    return 1;
  }

  @Override
  public ForType forType(Type type) {
    Class<?> raw = raw(type);
    for (Type reached : Schema.reached(type)) {
      if (reached == ZonedDateTime.class) {
        throw new ConfigurationException(
            "Values of type %s hold a ZonedDateTime. Fory forgets which of the two hours it is in when clocks go back; use an OffsetDateTime, or Codec.cbor()."
                .formatted(type.getTypeName()));
      }
      if (reached instanceof Class<?> c && !known(c)) {
        throw new ConfigurationException(
            "Values of type %s hold %s, which is not registered. Add it to ForyCodec.builder().register(…), with a number of its own."
                .formatted(type.getTypeName(), c.getName()));
      }
    }
    return new ForType() {
      @Override
      public byte[] encode(Object value) {
        return fory.serialize(value);
      }

      @Override
      public Object decode(byte[] bytes) {
        return java.util.Objects.requireNonNull(raw.cast(fory.deserialize(bytes)));
      }

      @Override
      public String schema() {
        return schema;
      }
    };
  }

  private boolean known(Class<?> type) {
    Class<?> part = type;
    while (part.isArray()) {
      part = part.getComponentType();
    }
    Class<?> wanted = part;
    return wanted.isPrimitive()
        || wanted == Object.class
        // Its classes are seen when a value is written.
        || Modifier.isAbstract(wanted.getModifiers())
        || registered.containsValue(wanted)
        || (wanted.getName().startsWith("java.")
            && fory.execute(one -> one.getTypeResolver().isRegistered(wanted)));
  }

  private static Class<?> raw(Type type) {
    if (type instanceof Class<?> c && !c.isPrimitive()) {
      return c;
    }
    if (type instanceof ParameterizedType named) {
      return (Class<?>) named.getRawType();
    }
    throw new ConfigurationException(
        "Values of type %s cannot be encoded. Declare a record, a class or a collection of these."
            .formatted(type.getTypeName()));
  }

  /** Where the jar does not say it, its classes do: they change with it. */
  private static String version(Class<?> type) {
    String said = type.getPackage().getImplementationVersion();
    return said != null ? said : Schema.of(type);
  }

  /** Collects classes. Not thread-safe. */
  public static final class Builder {
    private static final int MOST = 32_000;
    private final Map<Integer, Class<?>> classes = new TreeMap<>();
    private ClassLoader loader = ForyCodec.class.getClassLoader();

    private Builder() {}

    /**
     * Adds a class under a number that means this class on every node, now and later.
     *
     * @param number 0 to 32,000
     * @throws ConfigurationException when the number or the class is taken, or out of range
     */
    public Builder register(Class<?> type, int number) {
      Class<?> taken = classes.get(number);
      if (number < 0 || number > MOST || taken != null || classes.containsValue(type)) {
        throw new ConfigurationException(
            "%s cannot be registered as %d: %s."
                .formatted(
                    type.getName(),
                    number,
                    taken != null
                        ? "that is " + taken.getName()
                        : classes.containsValue(type)
                            ? "it is registered already"
                            : "use 0 to 32,000"));
      }
      classes.put(number, type);
      loader = type.getClassLoader() == null ? loader : type.getClassLoader();
      return this;
    }

    /** The codec. */
    public ForyCodec build() {
      return new ForyCodec(new TreeMap<>(classes), loader);
    }
  }
}
