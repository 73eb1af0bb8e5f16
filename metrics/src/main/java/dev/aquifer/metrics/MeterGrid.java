package dev.aquifer.metrics;

import io.micrometer.core.instrument.Meter;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;

/**
 * Meters by a small number, registered when first used: finding one is an array read, with no tags
 * built, no lock and no allocation. Two threads that are first together ask the registry twice and
 * get the same meter.
 */
final class MeterGrid<M extends Meter> {
  private final AtomicReferenceArray<M> cells;
  private final IntFunction<M> register;

  MeterGrid(int size, IntFunction<M> register) {
    this.cells = new AtomicReferenceArray<>(size);
    this.register = register;
  }

  /**
   * The cell of a constant in a row, where each row has a cell for every constant of its enum. The
   * numbers live as long as this process and are stored nowhere.
   */
  @SuppressWarnings("EnumOrdinal")
  static int cell(int row, int rowLength, Enum<?> constant) {
    return row * rowLength + constant.ordinal();
  }

  M get(int cell) {
    M meter = cells.get(cell);
    if (meter == null) {
      meter = register.apply(cell);
      cells.set(cell, meter);
    }
    return meter;
  }
}
