package dev.aquifer.pool;

/**
 * What one pool saw in one interval: all that its size is decided from.
 *
 * @param seconds length of the interval, above 0
 * @param arrivals callers that asked for a connection
 * @param completions connections given back
 * @param busySeconds that connections were in use, summed over connections: waiting for one is not
 *     in it
 * @param waitedSeconds that callers waited for a connection, summed over callers
 * @param timeouts callers that waited in vain
 * @param peak most callers at one time that had a connection or waited for one
 * @param waiting callers that wait at the end
 * @param open connections open at the end
 * @param refusals connections that the server refused because it is full (53300)
 * @param reachable whether the server can be connected to
 * @param allowance most connections that the budget allows, 1 or more
 */
record PoolSample(
    double seconds,
    long arrivals,
    long completions,
    double busySeconds,
    double waitedSeconds,
    long timeouts,
    int peak,
    int waiting,
    int open,
    int refusals,
    boolean reachable,
    int allowance) {

  /** Connections in use on average. */
  double inUse() {
    return busySeconds / seconds;
  }

  /** Whether callers wait so much that more connections might help. */
  boolean isPressed() {
    return timeouts > 0 || waiting > 1 || waitedSeconds / seconds >= 0.5;
  }
}
