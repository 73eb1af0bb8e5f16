/**
 * Time series: a typed query model, dialects, and a cache of windows that fetches only what is
 * missing. Start at {@link dev.aquifer.tsquery.TimeSeries}.
 */
@NullMarked
package dev.aquifer.tsquery;

import org.jspecify.annotations.NullMarked;
