package dev.aquifer.repository;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says that a statement is for all tenants at once, and so does not use {@code :tenant}.
 *
 * <p>It runs with no tenant, also when one is current: what it writes voids what any tenant has
 * cached of the tables. It cannot be cached. On a type it holds for every method of it. {@link
 * Aquifer#repository} reads it.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface CrossTenant {}
