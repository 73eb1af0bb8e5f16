package dev.aquifer.batch;

/**
 * What a batcher did, and has to do.
 *
 * @param acknowledged items
 * @param failed items
 * @param refused items for which there was no room
 * @param batches sent, not counting again those that were sent again
 * @param retries batches that were sent again
 * @param waiting items that no batch has taken yet
 * @param sending batches under way
 * @param size how many items a batch takes at present
 */
public record BatchStatistics(
    long acknowledged,
    long failed,
    long refused,
    long batches,
    long retries,
    int waiting,
    int sending,
    int size) {}
