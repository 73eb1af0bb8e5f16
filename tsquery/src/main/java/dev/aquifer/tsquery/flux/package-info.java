/**
 * Flux text: read, printed, confined to one tenant. Start at {@link
 * dev.aquifer.tsquery.flux.FluxScript}.
 */
@NullMarked
package dev.aquifer.tsquery.flux;

import org.jspecify.annotations.NullMarked;
