/**
 * The ports at which modules meet that may not know each other. All of them are called on the
 * thread of the work.
 */
@NullMarked
package dev.aquifer.spi;

import org.jspecify.annotations.NullMarked;
