/**
 * Embedded PostgreSQL cluster, embedded Redis, fault proxy and fake clock, for tests of
 * applications too.
 */
@NullMarked
package dev.aquifer.testkit;

import org.jspecify.annotations.NullMarked;
