package dev.aquifer.pool;

/**
 * A pool at one moment.
 *
 * @param active connections in use
 * @param idle connections open and not in use
 * @param waiting callers waiting for a connection
 * @param max most connections that may be open
 */
public record PoolStats(int active, int idle, int waiting, int max) {}
