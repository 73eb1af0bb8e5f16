package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.TenantContext;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes an interface's methods do what {@link Cached} and {@link Evicts} say. Annotations are read
 * once, when the proxy is made; a call is a look-up in what was read. Proxies are thread-safe where
 * their delegate is.
 */
public final class CachingProxy {
  private CachingProxy() {}

  /**
   * The delegate, with its annotated methods cached.
   *
   * @throws ConfigurationException when an annotation contradicts another or its method; the
   *     message names class and method
   */
  public static <T> T of(Class<T> type, T delegate, Caches caches) {
    return of(type, delegate, caches, method -> Set.of());
  }

  /**
   * As {@link #of(Class, Object, Caches)}, with more tags.
   *
   * @param tags what the values of a cached method depend on, beside what its annotation says
   */
  public static <T> T of(
      Class<T> type, T delegate, Caches caches, Function<Method, Set<Tag>> tags) {
    return of(type, delegate, caches, tags, () -> false);
  }

  /**
   * As {@link #of(Class, Object, Caches, Function)}, for a delegate that has transactions.
   *
   * @param inTransaction asked before each cached call, on its thread; where it is true the
   *     delegate answers and nothing is remembered, so that a transaction sees what it wrote, and
   *     nobody else does
   */
  public static <T> T of(
      Class<T> type,
      T delegate,
      Caches caches,
      Function<Method, Set<Tag>> tags,
      BooleanSupplier inTransaction) {
    if (!type.isInterface()) {
      throw new ConfigurationException(
          "%s is no interface; a caching proxy needs one.".formatted(type.getName()));
    }
    Map<Method, MethodPlan> plans = new HashMap<>();
    for (Method method : type.getMethods()) {
      if (!java.lang.reflect.Modifier.isStatic(method.getModifiers()) && !method.isBridge()) {
        // Interfaces need not be public.
        boolean open = method.trySetAccessible();
        if (!open) {
          throw new ConfigurationException(
              "%s.%s cannot be called; open its package to dev.aquifer.cache."
                  .formatted(type.getName(), method.getName()));
        }
        plans.put(method, MethodPlan.of(type, method, caches, tags));
      }
    }
    plans.values().forEach(plan -> checkEvicted(type, plan, caches));
    Object proxy =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            new Calls(
                delegate, caches, new Plans(plans), inherited(delegate, plans), inTransaction));
    return type.cast(proxy);
  }

  /** A key of another type would void nothing. */
  private static void checkEvicted(Class<?> type, MethodPlan plan, Caches caches) {
    for (String name : plan.evictedCaches()) {
      List<Class<?>> types = caches.keyTypes(name);
      if (!plan.key().all() && types != null && !types.equals(plan.key().types())) {
        throw new ConfigurationException(
            "%s.%s has an @Evicts with a key of %s; keys of cache '%s' are of %s."
                .formatted(type.getName(), plan.method(), plan.key().types(), name, types));
      }
    }
  }

  /**
   * Default methods that the delegate's class does not override: run on the caching proxy, so that
   * what they call is cached too. Those of a delegate that is itself a proxy are its own business.
   */
  private static Set<Method> inherited(Object delegate, Map<Method, MethodPlan> plans) {
    Set<Method> found = new HashSet<>();
    for (Method method : plans.keySet()) {
      if (method.isDefault()
          && !Proxy.isProxyClass(delegate.getClass())
          && java.lang.reflect.Modifier.isPublic(method.getDeclaringClass().getModifiers())) {
        try {
          Method own = delegate.getClass().getMethod(method.getName(), method.getParameterTypes());
          if (own.getDeclaringClass() == method.getDeclaringClass()) {
            found.add(method);
          }
        } catch (NoSuchMethodException e) {
          throw new ConfigurationException(
              "%s does not implement %s.".formatted(delegate.getClass().getName(), method), e);
        }
      }
    }
    return Set.copyOf(found);
  }

  private record Calls(
      Object delegate,
      Caches caches,
      Plans plans,
      Set<Method> inherited,
      BooleanSupplier inTransaction)
      implements InvocationHandler {

    @Override
    public @Nullable Object invoke(
        Object proxy, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
      MethodPlan plan = plans.of(method);
      if (plan == null) {
        return ofObject(proxy, method, arguments);
      }
      // The proxy passes a copy of the method that was not opened.
      Method opened = plan.method();
      TieredCache<Object, Object> cache = plan.cache();
      if (cache != null && !inTransaction.getAsBoolean()) {
        Object key = plan.key().key(arguments);
        // A loader is made only where one is needed.
        Object hit = cache.hit(key);
        if (hit != TieredCache.MISS) {
          return plan.async() ? CompletableFuture.completedFuture(hit) : hit;
        }
        return plan.async()
            ? cache.getAsync(key, k -> later(opened, arguments))
            : cache.<Exception>get(key, k -> call(opened, arguments));
      }
      if (plan.evicts()) {
        return evicting(plan, arguments);
      }
      return inherited.contains(method)
          ? InvocationHandler.invokeDefault(proxy, method, arguments)
          : call(opened, arguments);
    }

    private @Nullable Object evicting(MethodPlan plan, @Nullable Object @Nullable [] arguments)
        throws Exception {
      Object result;
      try {
        result = call(plan.method(), arguments);
      } catch (Throwable e) {
        evict(plan, arguments);
        throw e;
      }
      if (result instanceof CompletionStage<?> stage) {
        Runnable evict = TenantContext.wrap(() -> evict(plan, arguments));
        return stage.whenComplete((value, error) -> evict.run());
      }
      evict(plan, arguments);
      return result;
    }

    private void evict(MethodPlan plan, @Nullable Object @Nullable [] arguments) {
      @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
      if (plan.evictsTenant()) {
        caches.invalidateTenant();
        return;
      }
      List<Tag> tags = new ArrayList<>();
      plan.evicted().forEach(template -> tags.add(template.tag(given)));
      caches.invalidateTags(tags);
      KeyTemplate key = plan.key();
      for (String name : plan.evictedCaches()) {
        if (key.all()) {
          caches.invalidateCache(name);
        } else {
          caches.invalidateKey(name, key.key(given), key.types());
        }
      }
    }

    private @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments)
        throws Exception {
      try {
        return method.invoke(delegate, arguments);
      } catch (InvocationTargetException e) {
        throw Flights.sneaky(e.getCause());
      }
    }

    @SuppressWarnings("unchecked")
    private CompletionStage<@Nullable Object> later(
        Method method, @Nullable Object @Nullable [] arguments) {
      try {
        Object stage = call(method, arguments);
        return stage == null
            ? CompletableFuture.<@Nullable Object>completedFuture(null)
            : (CompletionStage<@Nullable Object>) stage;
      } catch (Exception e) {
        throw Flights.<RuntimeException>sneaky(e);
      }
    }

    private @Nullable Object ofObject(
        Object proxy, Method method, @Nullable Object @Nullable [] arguments) throws Exception {
      return switch (method.getName()) {
        case "equals" -> arguments != null && proxy == arguments[0];
        case "hashCode" -> System.identityHashCode(proxy);
        case "toString" -> "caching " + delegate;
        default -> call(method, arguments);
      };
    }
  }
}
