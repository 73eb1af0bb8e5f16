package dev.aquifer.pool;

import dev.aquifer.spi.Observer.PoolReason;

/**
 * One decision on a pool's size.
 *
 * @param reason why
 * @param before most connections until then
 * @param maximum most connections from then on
 * @param idle connections kept open beside those in use
 * @param wanted most connections that would be of use, were there no limits
 * @param explanation the reason with its figures, for people
 */
public record PoolDecision(
    PoolReason reason, int before, int maximum, int idle, int wanted, String explanation) {}
