/** One node's connection pool. */
@NullMarked
package dev.aquifer.pool;

import org.jspecify.annotations.NullMarked;
