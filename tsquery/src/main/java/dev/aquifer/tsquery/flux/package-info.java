/**
 * Flux text: read, printed, confined to one tenant; start at {@link
 * dev.aquifer.tsquery.flux.FluxScript}. Flux answers: {@link dev.aquifer.tsquery.flux.FluxCsv}.
 */
@NullMarked
package dev.aquifer.tsquery.flux;

import org.jspecify.annotations.NullMarked;
