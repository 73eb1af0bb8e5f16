package dev.aquifer.cache;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What the method returns is remembered, a tenant and its arguments apart. {@link CachingProxy}
 * reads it, once, when the proxy is made.
 *
 * <p>Values are shared between callers: they are to be treated as immutable. A null or an empty
 * Optional is remembered too, for {@link #negativeTtl}. Of an asynchronous method ({@code
 * CompletableFuture}) only the part that runs on the calling thread is held to a database position;
 * what it reads on threads of its own may be as old as a lagging replica.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Cached {
  /**
   * How long: a number and {@code ms}, {@code s}, {@code m}, {@code h} or {@code d}. Empty: what
   * the profile or the category says, or 10 minutes.
   */
  String ttl() default "";

  /** One category, in place of a {@link #ttl}. */
  TtlCategory[] category() default {};

  /**
   * By how many percent of itself, 0 to 50, each time is shortened or lengthened. Below zero: what
   * the profile says, or 10.
   */
  int jitter() default -1;

  /**
   * How long absence is remembered, {@code 0s}: not at all. Empty: what the profile says, or 30 s,
   * or the ttl if shorter.
   */
  String negativeTtl() default "";

  /**
   * What the value depends on: names with parameters in braces, by name or index, such as {@code
   * flight:{id}} or {@code flight:{0}}; {@code {key.id}} is a component of a record.
   */
  String[] tags() default {};

  /**
   * Settings under a name, which {@link CachesBuilder#profile} gave them: whatever the builder of
   * settings can say. What is said here goes before it; tags are added.
   */
  String profile() default "";

  /**
   * What of the parameters is the key, where it is not all of them: names or indexes, with
   * components of records, such as {@code flight.id}. The value must not depend on the rest.
   */
  String[] key() default {};
}
