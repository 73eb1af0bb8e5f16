package dev.aquifer.tsquery;

/**
 * What a {@link TimeSeries} did since it was made.
 *
 * @param windowsFromMemory windows that were answered from memory, those from Redis included
 * @param windowsFromRedis windows that came from Redis into memory
 * @param windowsFetched windows that the backend was asked for
 * @param bytesReceived bytes of the backend's answers ({@link QueryProfile#bytes})
 * @param fetchesAwaited queries that waited for what another node was fetching
 * @param segmentsStored segments (512 windows of a query) that were written to Redis
 * @param segmentsRefused segments that something voided before they could be written; tried again
 * @param segmentsInConflict segments that another node wrote at the same time; tried again
 * @param segmentsDamaged segments in Redis that were none, or too large
 * @param segmentsTooLarge segments that were not written for their size
 */
public record TimeSeriesStatistics(
    long windowsFromMemory,
    long windowsFromRedis,
    long windowsFetched,
    long bytesReceived,
    long fetchesAwaited,
    long segmentsStored,
    long segmentsRefused,
    long segmentsInConflict,
    long segmentsDamaged,
    long segmentsTooLarge) {}
