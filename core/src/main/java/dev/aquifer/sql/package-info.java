/**
 * What can be told of an SQL statement without a server: who may answer it, and what it touches.
 */
@NullMarked
package dev.aquifer.sql;

import org.jspecify.annotations.NullMarked;
