/** The routing DataSource: health, lag, failover, read-your-writes. */
@NullMarked
package dev.aquifer.replica;

import org.jspecify.annotations.NullMarked;
