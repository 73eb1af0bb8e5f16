/** The entry point that wires the modules, and annotated repositories. */
@NullMarked
package dev.aquifer.repository;

import org.jspecify.annotations.NullMarked;
