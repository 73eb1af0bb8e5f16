package dev.aquifer.cache;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import dev.aquifer.ConfigurationException;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DatabindContext;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.KeyDeserializer;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.cfg.MapperBuilder;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.Annotated;
import tools.jackson.databind.introspect.AnnotatedClass;
import tools.jackson.databind.introspect.JacksonAnnotationIntrospector;
import tools.jackson.databind.jsontype.PolymorphicTypeValidator;
import tools.jackson.databind.module.SimpleModule;

/**
 * By Jackson, of the declared type only. What is written is the fields, so that what is read equals
 * it; times keep their zones.
 *
 * <p>Bytes name no class: default typing is off, annotations that would have it otherwise are
 * refused, and so is the type {@code Class} itself. Subclasses of a sealed type are told apart by
 * their simple names, which are looked up among those that it permits.
 */
abstract class JacksonCodec implements Codec {
  private final int id;
  private final ObjectMapper mapper;

  JacksonCodec(int id, MapperBuilder<?, ?> builder) {
    this.id = id;
    this.mapper =
        builder
            .polymorphicTypeValidator(new NoClassNames())
            .annotationIntrospector(new SealedTypes())
            .addModule(noClasses())
            .addModule(new JacksonRecords())
            .changeDefaultVisibility(
                visible ->
                    visible
                        .withVisibility(PropertyAccessor.FIELD, Visibility.ANY)
                        .withVisibility(PropertyAccessor.GETTER, Visibility.NONE)
                        .withVisibility(PropertyAccessor.IS_GETTER, Visibility.NONE))
            .enable(MapperFeature.ALLOW_FINAL_FIELDS_AS_MUTATORS)
            .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .disable(
                DateTimeFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE,
                DateTimeFeature.NORMALIZE_DESERIALIZED_ZONE_ID)
            .enable(DateTimeFeature.WRITE_DATES_WITH_ZONE_ID)
            .build();
  }

  @Override
  public final int id() {
    return id;
  }

  @Override
  public final int version() {
    return 1;
  }

  @Override
  public final ForType forType(Type type) {
    JacksonTypes.check(type);
    JavaType root;
    try {
      root = mapper.constructType(type);
    } catch (RuntimeException e) {
      throw new ConfigurationException(
          "Values of type %s cannot be encoded. Declare a record, a class or a collection of these."
              .formatted(type.getTypeName()),
          e);
    }
    ObjectWriter writer = mapper.writerFor(root);
    ObjectReader reader = mapper.readerFor(root);
    return new ForType() {
      @Override
      public byte[] encode(Object value) {
        return writer.writeValueAsBytes(value);
      }

      @Override
      public Object decode(byte[] bytes) {
        return reader.readValue(bytes);
      }

      @Override
      public Object decode(byte[] bytes, int from, int length) {
        return reader.readValue(bytes, from, length);
      }
    };
  }

  /** Also against what the walk through the declared types cannot see, like mix-ins. */
  private static final class NoClassNames extends PolymorphicTypeValidator {
    private static final long serialVersionUID = 1;

    @Override
    public Validity validateBaseType(DatabindContext context, JavaType base) {
      return Validity.DENIED;
    }

    @Override
    public Validity validateSubClassName(DatabindContext context, JavaType base, String name) {
      return Validity.DENIED;
    }

    @Override
    public Validity validateSubType(DatabindContext context, JavaType base, JavaType sub) {
      return Validity.DENIED;
    }
  }

  private static final class SealedTypes extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1;
    private static final JsonTypeInfo.Value BY_NAME =
        JsonTypeInfo.Value.construct(
            JsonTypeInfo.Id.SIMPLE_NAME,
            JsonTypeInfo.As.PROPERTY,
            "@type",
            null,
            false,
            true,
            null);

    @Override
    public JsonTypeInfo.@Nullable Value findPolymorphicTypeInfo(
        MapperConfig<?> config, Annotated annotated) {
      JsonTypeInfo.Value said = super.findPolymorphicTypeInfo(config, annotated);
      return said == null
              && annotated instanceof AnnotatedClass type
              && JacksonTypes.sealed(type.getRawType())
          ? BY_NAME
          : said;
    }
  }

  private static SimpleModule noClasses() {
    return new SimpleModule("no-classes")
        .addDeserializer(Class.class, new Refused<>())
        .addDeserializer(JavaType.class, new Refused<>())
        .addKeyDeserializer(Class.class, new RefusedKey());
  }

  private static final class Refused<T> extends ValueDeserializer<T> {
    @Override
    public T deserialize(JsonParser parser, DeserializationContext context) {
      return context.reportInputMismatch(this, "Classes are not read.");
    }
  }

  private static final class RefusedKey extends KeyDeserializer {
    @Override
    public Object deserializeKey(String key, DeserializationContext context) {
      return context.reportInputMismatch(Class.class, "Classes are not read.");
    }
  }
}
