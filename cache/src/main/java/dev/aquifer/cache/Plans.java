package dev.aquifer.cache;

import java.lang.reflect.Method;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The plans of a proxy's methods. A proxy passes the same object for a method in every call, so
 * after the first it is found by its identity; methods are slow to compare.
 */
final class Plans {
  private final Map<Method, MethodPlan> plans;

  /** Never changed once it is here. */
  private volatile IdentityHashMap<Method, MethodPlan> met = new IdentityHashMap<>();

  Plans(Map<Method, MethodPlan> plans) {
    this.plans = Map.copyOf(plans);
  }

  /** Null where the method is one of {@code Object}. */
  @Nullable MethodPlan of(Method method) {
    MethodPlan plan = met.get(method);
    return plan != null ? plan : first(method);
  }

  private @Nullable MethodPlan first(Method method) {
    MethodPlan plan = plans.get(method);
    IdentityHashMap<Method, MethodPlan> before = met;
    // Bounded, for who calls the handler with copies of its own.
    if (plan != null && before.size() < plans.size()) {
      IdentityHashMap<Method, MethodPlan> more = new IdentityHashMap<>(before);
      more.put(method, plan);
      met = more;
    }
    return plan;
  }
}
