/**
 * The main job: a departures service of two nodes for 220 airports, read under load and faults from
 * real servers.
 */
@NullMarked
package dev.aquifer.examples;

import org.jspecify.annotations.NullMarked;
