package dev.aquifer.testkit;

/** Something that happened beside the operations of a history: a fault. */
record HistoryNote(long at, String what) {}
