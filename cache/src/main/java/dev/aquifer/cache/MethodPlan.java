package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a proxy does when a method is called: read once from its annotations, refused there and then
 * where they contradict each other or the method.
 */
record MethodPlan(
    Method method,
    boolean async,
    @Nullable TieredCache<Object, Object> cache,
    List<TagTemplate> evicted,
    List<String> evictedCaches,
    boolean evictsTenant,
    boolean plainKey) {

  boolean evicts() {
    return evictsTenant || !evicted.isEmpty() || !evictedCaches.isEmpty();
  }

  static MethodPlan of(
      Class<?> type, Method method, Caches caches, Function<Method, Set<Tag>> derived) {
    Cached cached = method.getAnnotation(Cached.class);
    Evicts evicts = method.getAnnotation(Evicts.class);
    if (cached != null && evicts != null) {
      throw refused(type, method, "has both @Cached and @Evicts; split it into two methods", null);
    }
    boolean async =
        method.getReturnType() == CompletableFuture.class
            || method.getReturnType() == CompletionStage.class;
    try {
      if (cached != null) {
        return cached(type, method, cached, caches, derived, async);
      }
      if (method.isAnnotationPresent(CacheName.class)) {
        throw new IllegalArgumentException("has @CacheName and no @Cached");
      }
      return evicting(method, evicts, async);
    } catch (IllegalArgumentException | ConfigurationException e) {
      throw refused(type, method, String.valueOf(e.getMessage()), e);
    }
  }

  private static MethodPlan evicting(Method method, @Nullable Evicts evicts, boolean async) {
    if (evicts == null) {
      return new MethodPlan(method, async, null, List.of(), List.of(), false, false);
    }
    List<TagTemplate> tags = templates(evicts.tags(), method);
    List<String> names = Arrays.stream(evicts.caches()).map(Caches::checked).toList();
    MethodPlan plan = new MethodPlan(method, async, null, tags, names, evicts.tenant(), false);
    if (!plan.evicts()) {
      throw new IllegalArgumentException("has an @Evicts that names nothing");
    }
    return plan;
  }

  private static MethodPlan cached(
      Class<?> type,
      Method method,
      Cached cached,
      Caches caches,
      Function<Method, Set<Tag>> derived,
      boolean async) {
    Type value = method.getGenericReturnType();
    if (async) {
      value = value instanceof ParameterizedType p ? p.getActualTypeArguments()[0] : Object.class;
    }
    checkResult(value, 0);
    for (Type parameter : method.getGenericParameterTypes()) {
      checkKey(parameter, 0);
    }
    CacheSettings.Builder settings = CacheSettings.builder().ttl(DurationText.parse(cached.ttl()));
    if (!cached.negativeTtl().isEmpty()) {
      settings.negativeTtl(DurationText.parse(cached.negativeTtl()));
    }
    settings.tags(derived.apply(method));
    List<TagTemplate> late = new ArrayList<>();
    for (TagTemplate template : templates(cached.tags(), method)) {
      if (template.fixed()) {
        settings.tags(template.tag(new Object[0]));
      } else {
        late.add(template);
      }
    }
    Tagger<Object, Object> tagger =
        late.isEmpty() ? null : (key, loaded) -> tags(late, CallKey.arguments(key));
    TieredCache<Object, Object> cache =
        caches.made(name(type, method), value, settings.build(), tagger);
    boolean plain =
        Arrays.stream(method.getParameterTypes()).allMatch(p -> KeyText.simple(boxed(p)));
    return new MethodPlan(method, async, cache, List.of(), List.of(), false, plain);
  }

  private static Set<Tag> tags(List<TagTemplate> templates, @Nullable Object[] arguments) {
    Set<Tag> tags = new LinkedHashSet<>();
    templates.forEach(template -> tags.add(template.tag(arguments)));
    return tags;
  }

  private static List<TagTemplate> templates(String[] texts, Method method) {
    return Arrays.stream(texts).map(text -> TagTemplate.parse(text, method)).toList();
  }

  private static String name(Class<?> type, Method method) {
    CacheName own = method.getAnnotation(CacheName.class);
    if (own != null) {
      return own.value();
    }
    CacheName outer = type.getAnnotation(CacheName.class);
    return (outer == null ? type.getSimpleName() : outer.value()) + "." + method.getName();
  }

  private static void checkResult(Type type, int depth) {
    if (type == void.class || type == Void.class) {
      throw new IllegalArgumentException("returns nothing that could be cached");
    }
    if (type instanceof WildcardType || type instanceof TypeVariable || type == Object.class) {
      throw new IllegalArgumentException(
          "returns %s, which bytes cannot be read back as; name the type"
              .formatted(type.getTypeName()));
    }
    if (type instanceof ParameterizedType named) {
      checkResult(named.getRawType(), depth);
      for (Type argument : named.getActualTypeArguments()) {
        checkResult(argument, depth + 1);
      }
    } else if (type instanceof GenericArrayType array) {
      checkResult(array.getGenericComponentType(), depth + 1);
    } else if (type instanceof Class<?> c && unreadable(c)) {
      throw new IllegalArgumentException(
          "returns %s, which can be read once only, or not at all; return a List or a record"
              .formatted(c.getName()));
    } else if (type instanceof Class<?> raw
        && raw.getTypeParameters().length > 0
        && depth >= 0
        && !isRawPart(raw)) {
      throw new IllegalArgumentException(
          "returns %s without its type arguments; name them".formatted(raw.getName()));
    }
  }

  /** The raw type of a parameterized one arrives here too, and is fine. */
  private static boolean isRawPart(Class<?> raw) {
    return Collection.class.isAssignableFrom(raw)
        || Map.class.isAssignableFrom(raw)
        || raw == Optional.class
        || raw.isRecord();
  }

  private static boolean unreadable(Class<?> type) {
    return java.util.stream.BaseStream.class.isAssignableFrom(type)
        || java.util.Iterator.class.isAssignableFrom(type)
        || AutoCloseable.class.isAssignableFrom(type)
        || java.util.concurrent.Future.class.isAssignableFrom(type)
        || CompletionStage.class.isAssignableFrom(type)
        || type == Iterable.class
        || java.util.function.Supplier.class.isAssignableFrom(type);
  }

  private static void checkKey(Type type, int depth) {
    boolean fits;
    if (type instanceof Class<?> c) {
      Class<?> boxed = boxed(c);
      fits =
          KeyText.simple(boxed)
              || boxed == java.math.BigDecimal.class
              || boxed == dev.aquifer.Tenant.class
              || boxed == UUID.class
              || c.isRecord()
              || (c.isArray() && keyFits(c.getComponentType(), depth + 1));
    } else if (type instanceof ParameterizedType named
        && named.getRawType() instanceof Class<?> raw
        && depth < 8) {
      fits =
          raw.isRecord()
              || ((raw == Optional.class
                      || raw == Map.class
                      || Collection.class.isAssignableFrom(raw))
                  && Arrays.stream(named.getActualTypeArguments())
                      .allMatch(argument -> keyFits(argument, depth + 1)));
    } else {
      fits = false;
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "has a parameter of type %s, which cannot be part of a key; use text, numbers, enums, UUIDs, java.time values, records or collections of these"
              .formatted(type.getTypeName()));
    }
  }

  private static boolean keyFits(Type type, int depth) {
    checkKey(type, depth);
    return true;
  }

  private static Class<?> boxed(Class<?> type) {
    return type.isPrimitive()
        ? java.lang.invoke.MethodType.methodType(type).wrap().returnType()
        : type;
  }

  private static ConfigurationException refused(
      Class<?> type, Method method, String why, @Nullable Throwable cause) {
    return new ConfigurationException(
        "%s.%s %s.".formatted(type.getName(), method.getName(), why), cause);
  }
}
