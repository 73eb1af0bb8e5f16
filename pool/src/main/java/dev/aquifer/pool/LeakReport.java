package dev.aquifer.pool;

import java.time.Duration;

/**
 * A connection that is out for longer than {@link PoolSettings#leakThreshold}.
 *
 * @param thread the name of the thread that took it
 * @param held for how long it is out
 * @param taken where it was taken: the stack of that thread
 */
public record LeakReport(String thread, Duration held, Throwable taken) {}
