package dev.aquifer.tsquery;

import java.util.List;

/** Takes rows and does nothing with them. */
class IgnoringSink implements RowSink {
  @Override
  public void row(List<String> group, long windowStart) {}

  @Override
  public void longValue(int selection, long value) {}

  @Override
  public void doubleValue(int selection, double value) {}

  @Override
  public void booleanValue(int selection, boolean value) {}

  @Override
  public void textValue(int selection, String value) {}
}
