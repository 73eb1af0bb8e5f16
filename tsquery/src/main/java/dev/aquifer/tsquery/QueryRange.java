package dev.aquifer.tsquery;

/** The time that a query is about: fixed, or relative to the moment it is asked. */
public sealed interface QueryRange permits TimeRange, LastRange {}
