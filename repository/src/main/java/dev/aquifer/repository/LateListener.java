package dev.aquifer.repository;

import dev.aquifer.ReadFloor;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.WriteSet;
import org.jspecify.annotations.Nullable;

/**
 * Stands in for the caches while the router is built, which they in turn need; nothing commits
 * before both are there.
 */
final class LateListener implements CommitListener {
  private volatile @Nullable CommitListener listener;

  void set(CommitListener listener) {
    this.listener = listener;
  }

  @Override
  public void committing(WriteSet writes) {
    required().committing(writes);
  }

  @Override
  public void committed(WriteSet writes, ReadFloor floor) {
    required().committed(writes, floor);
  }

  @Override
  public void rolledBack(WriteSet writes) {
    required().rolledBack(writes);
  }

  @Override
  public void outcomeUnknown(WriteSet writes, ReadFloor floor) {
    required().outcomeUnknown(writes, floor);
  }

  private CommitListener required() {
    CommitListener set = listener;
    if (set == null) {
      throw new IllegalStateException("A transaction committed before the node was built");
    }
    return set;
  }

  @Override
  public String toString() {
    return String.valueOf(listener);
  }
}
