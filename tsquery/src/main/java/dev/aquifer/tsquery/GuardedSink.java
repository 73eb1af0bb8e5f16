package dev.aquifer.tsquery;

import java.util.List;
import java.util.function.Consumer;

/** Hands rows on until one is refused, and takes the rest as if they were not there. */
final class GuardedSink implements RowSink {
  private final RowSink to;
  private final Consumer<RuntimeException> refused;
  private boolean open = true;
  private long rows;
  private long bytes;

  GuardedSink(RowSink to, Consumer<RuntimeException> refused) {
    this.to = to;
    this.refused = refused;
  }

  @Override
  public void row(List<String> group, long windowStart) {
    rows++;
    guard(() -> to.row(group, windowStart));
  }

  @Override
  public void longValue(int selection, long value) {
    guard(() -> to.longValue(selection, value));
  }

  @Override
  public void doubleValue(int selection, double value) {
    guard(() -> to.doubleValue(selection, value));
  }

  @Override
  public void booleanValue(int selection, boolean value) {
    guard(() -> to.booleanValue(selection, value));
  }

  @Override
  public void textValue(int selection, String value) {
    guard(() -> to.textValue(selection, value));
  }

  @Override
  public void received(long count) {
    bytes += count;
    to.received(count);
  }

  /** How many rows came, those after a refusal included. */
  long rows() {
    return rows;
  }

  /** How many bytes came for it alone. */
  long bytes() {
    return bytes;
  }

  private void guard(Runnable call) {
    if (open) {
      try {
        call.run();
      } catch (RuntimeException e) {
        open = false;
        refused.accept(e);
      }
    }
  }
}
