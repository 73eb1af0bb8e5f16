/**
 * Encounters that are kept: opened, closed, amended, found by time, detected from points. Start at
 * {@link dev.aquifer.tsquery.encounter.Encounters}.
 */
@NullMarked
package dev.aquifer.tsquery.encounter;

import org.jspecify.annotations.NullMarked;
