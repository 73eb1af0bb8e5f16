/**
 * Tenants, tags, positions and errors: the words that every module of Aquifer shares.
 *
 * <p>Start at {@link dev.aquifer.Tenant}. The ports through which modules meet are in {@code
 * dev.aquifer.spi}, the SQL analyser is in {@code dev.aquifer.sql}.
 */
@NullMarked
package dev.aquifer;

import org.jspecify.annotations.NullMarked;
