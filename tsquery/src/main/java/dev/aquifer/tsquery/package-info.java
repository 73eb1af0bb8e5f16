/** Time-series query model, dialects and window cache. */
@NullMarked
package dev.aquifer.tsquery;

import org.jspecify.annotations.NullMarked;
