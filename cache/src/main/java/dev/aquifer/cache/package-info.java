/** The tiered cache: memory, Redis, the source. */
@NullMarked
package dev.aquifer.cache;

import org.jspecify.annotations.NullMarked;
