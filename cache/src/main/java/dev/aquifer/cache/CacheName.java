package dev.aquifer.cache;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The name of a cache, for keys, meters and {@link Evicts#caches}. On a method: the whole name; on
 * an interface: what replaces the interface's own name in {@code Interface.method}, which is used
 * where nothing is given. Two methods must not share one.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface CacheName {
  /** 1 to 128 characters of {@code A-Z a-z 0-9 _ . - $}. */
  String value();
}
