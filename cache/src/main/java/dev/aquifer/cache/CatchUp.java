package dev.aquifer.cache;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Redis says a process has missed of a partition.
 *
 * @param incarnation of the partition's state
 * @param sequence where the partition is
 * @param floor entries read before this sequence are void, their markers were dropped
 * @param events what is missing, in order and without a gap, where that is known
 * @param markers else all markers
 * @param poisons all that stand, by token, beside the markers
 * @param owner whom the partition's state belongs to, where that is not who the process took it
 *     for; then Redis says nothing else
 * @param gaps in the sequence; null where they are as they were
 */
record CatchUp(
    long incarnation,
    long sequence,
    long floor,
    List<Event> events,
    @Nullable Map<String, Long> markers,
    Map<String, Notice> poisons,
    @Nullable String owner,
    @Nullable Gaps gaps) {

  /** The same, as if the sequence had no gaps. */
  CatchUp withoutGaps() {
    return new CatchUp(incarnation, sequence, floor, events, markers, poisons, owner, Gaps.NONE);
  }

  /** One void or poison. */
  record Event(long sequence, Notice notice) {}
}
