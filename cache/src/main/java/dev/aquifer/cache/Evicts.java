package dev.aquifer.cache;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * When the method has returned, or failed (it may have written by then), the named things are void
 * for its tenant on every node. {@link CachingProxy} reads it, once, when the proxy is made.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Evicts {
  /** Tags, written as in {@link Cached#tags}. */
  String[] tags() default {};

  /** Whole caches, by the names that {@link CacheName} gives. */
  String[] caches() default {};

  /**
   * Only this key of the {@link #caches}: written as in {@link Cached#key}, of the same types as
   * the keys of those. Where a cache is not one of annotated methods of this node, all of it is
   * void.
   */
  String[] key() default {};

  /** Everything of the tenant. */
  boolean tenant() default false;
}
