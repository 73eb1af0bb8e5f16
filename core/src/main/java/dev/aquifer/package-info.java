/** Tenants, tags, tokens, errors, the SQL analyser and the ports that modules meet at. */
@NullMarked
package dev.aquifer;

import org.jspecify.annotations.NullMarked;
