/** Micrometer binding and the live page. */
@NullMarked
package dev.aquifer.metrics;

import org.jspecify.annotations.NullMarked;
